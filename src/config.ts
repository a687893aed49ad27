import type { BotAccount, PushAccount } from './config/accounts.ts';
import { botAccountSettings, botSettings } from './config/bot-settings.ts';
import { opsSettings } from './config/ops-settings.ts';
import { pushAccountSettings, pushSettings } from './config/push-settings.ts';
import { type Environment, readSettings } from './config/read-settings.ts';
import { redisProblems } from './config/redis-nodes.ts';
import { createSecret, type Secret, type Settings, type ValuesOf } from './config/setting.ts';
import { commonSettings } from './config/shared-settings.ts';
import { DEFAULT_ACCOUNT } from './contract/principal.ts';
import { ConfigError } from './errors.ts';

export { type Environment, readSettings } from './config/read-settings.ts';
export { createSecret, type Secret } from './config/setting.ts';
export { opsSettings, pushSettings };

const roles = ['bot', 'ops', 'push', 'all'] as const;
/** What one process is: the interface platform, the ops platform, message delivery, or all of them. */
export type Role = (typeof roles)[number];

/** The settings of the interface platform; what prints as `[secret]` is read with `reveal()`. */
export type BotConfig = ValuesOf<typeof botSettings> & {
  /** The app of the variables; absent when `ACCOUNTS_FILE` is set and none of them. */
  readonly account?: BotAccount;
};

/** The settings of the ops platform; what prints as `[secret]` is read with `reveal()`. */
export type OpsConfig = ValuesOf<typeof opsSettings> & {
  /** What the plug-ins of the kubeconfig find in their environment: all of this process's but the settings of Keypad. */
  readonly pluginEnvironment: Secret<Environment>;
};

/** The settings of message delivery; what prints as `[secret]` is read with `reveal()`. */
export type PushConfig = ValuesOf<typeof pushSettings> & {
  /** The app of the variables; absent when `ACCOUNTS_FILE` is set and none of them. */
  readonly account?: PushAccount;
};

/** Everything one process needs to know; the parts of roles that it does not have are absent. */
export interface Config extends ValuesOf<typeof commonSettings> {
  readonly bot?: BotConfig;
  readonly ops?: OpsConfig;
  readonly push?: PushConfig;
}

/** Reads the role from the command line; throws a ConfigError that names them. */
export function readRole(word: string | undefined): Role {
  const role = roles.find((known) => known === word);
  if (role !== undefined) return role;
  throw new ConfigError(['Say which role to start, bot, ops, push or all: node src/main.ts <role>']);
}

/**
 * The frozen settings of a role, or one ConfigError that lists every problem with its variable and remedy.
 * Variables of other roles, and unknown ones, are ignored. It may be printed: secrets show as `[secret]`.
 */
export function readConfig(role: Role, env: Environment): Config {
  const problems = new Set<string>();
  const part = <S extends Settings>(settings: S): ValuesOf<S> => {
    try {
      return readSettings(settings, env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return {} as ValuesOf<S>;
    }
  };
  const accountOf = <S extends Settings>(settings: S) =>
    isAppless(settings, env) ? {} : { account: Object.freeze({ name: DEFAULT_ACCOUNT, ...part(settings) }) };
  const opsConfig = () =>
    Object.freeze({ ...part(opsSettings), pluginEnvironment: createSecret(withoutSettings(env)) });
  const is = (name: Role): boolean => role === name || role === 'all';
  const config = {
    ...part(commonSettings),
    ...(is('bot') && { bot: Object.freeze({ ...accountOf(botAccountSettings), ...part(botSettings) }) }),
    ...(is('ops') && { ops: opsConfig() }),
    ...(is('push') && { push: Object.freeze({ ...accountOf(pushAccountSettings), ...part(pushSettings) }) }),
  };
  const { redisUrl, redisNodes } = config.bot ?? {};
  if (redisUrl && redisNodes) {
    for (const problem of redisProblems(redisUrl.reveal(), redisNodes.reveal())) problems.add(problem);
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  return Object.freeze(config);
}

/** An environment without what Keypad keeps in it; proxies, which are there for all programs, stay. */
export function withoutSettings(env: Environment): Environment {
  const all = [
    commonSettings,
    botAccountSettings,
    botSettings,
    opsSettings,
    pushAccountSettings,
    pushSettings,
  ];
  const own = all
    .flatMap((settings: Settings) => Object.values(settings))
    .filter(({ isInLowerCaseToo }) => !isInLowerCaseToo)
    .flatMap(({ name }) => [name, `${name}_FILE`]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.includes(name)));
}

/** Takes what Keypad was set with out of an environment, once it was read. */
export function dropSettings(env: NodeJS.ProcessEnv): void {
  const others = withoutSettings(env);
  for (const name of Object.keys(env)) if (!Object.hasOwn(others, name)) delete env[name];
}

/** Whether there is a file of accounts, and no variable of an app beside it. Some of them without the others are a mistake. */
function isAppless(settings: Settings, env: Environment): boolean {
  const { menusDir: _, ...ofApp } = settings;
  return (
    Boolean(env.ACCOUNTS_FILE) && Object.values(ofApp).every(({ name }) => !env[name] && !env[`${name}_FILE`])
  );
}
