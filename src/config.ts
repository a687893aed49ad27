import { type BotAccount, botAccountFields, type PushAccount, pushAccountFields } from './config/accounts.ts';
import { DEFAULT_ACCOUNT } from './config/read-account.ts';
import { type Environment, type Fields, readSettings, type ValuesOf } from './config/read-settings.ts';
import { ConfigError } from './errors.ts';

export { type Environment, readSettings } from './config/read-settings.ts';
export { createSecret, type Secret } from './config/secret.ts';

/** What one process is: the interface platform, the ops platform, message delivery, or all of them. */
export type Role = 'bot' | 'ops' | 'push' | 'all';

/** What every role needs to know. */
export const commonFields = {
  logLevel: 'LOG_LEVEL',
  internalHost: 'INTERNAL_HOST',
} as const satisfies Fields;

/** What the interface platform needs to know. */
export const botFields = {
  accountsFile: 'ACCOUNTS_FILE',
  trustedProxies: 'TRUSTED_PROXIES',
  host: 'BOT_HOST',
  port: 'BOT_PORT',
  internalPort: 'BOT_INTERNAL_PORT',
  redisUrl: 'REDIS_URL',
  opsUrl: 'OPS_URL',
  signingKey: 'OPS_SIGNING_KEY',
  pushUrl: 'PUSH_URL',
  pushAppId: 'PUSH_APP_ID',
  pushAppKey: 'PUSH_APP_KEY',
  menusDir: 'MENUS_DIR',
} as const satisfies Fields;

/** What the ops platform needs to know. */
export const opsFields = {
  host: 'OPS_HOST',
  port: 'OPS_PORT',
  internalPort: 'OPS_INTERNAL_PORT',
  allowedSources: 'OPS_ALLOWED_SOURCES',
  trustedProxies: 'TRUSTED_PROXIES',
  verifyingKeys: 'OPS_VERIFYING_KEYS',
  policyFile: 'OPS_POLICY_FILE',
  mysqlUrl: 'MYSQL_URL',
  kubeconfig: 'KUBECONFIG',
  mysqlTargets: 'OPS_MYSQL_TARGETS',
  auditKey: 'OPS_AUDIT_KEY',
} as const satisfies Fields;

/** What message delivery needs to know. */
export const pushFields = {
  accountsFile: 'ACCOUNTS_FILE',
  apiUrl: 'WECOM_API_URL',
  redisUrl: 'REDIS_URL',
  trustedProxies: 'TRUSTED_PROXIES',
  host: 'PUSH_HOST',
  port: 'PUSH_PORT',
  internalPort: 'PUSH_INTERNAL_PORT',
  allowedSources: 'PUSH_ALLOWED_SOURCES',
  mysqlUrl: 'PUSH_MYSQL_URL',
  masterKey: 'PUSH_MASTER_KEY',
  robots: 'PUSH_ROBOTS',
  concurrency: 'PUSH_CONCURRENCY',
} as const satisfies Fields;

/** The settings of the interface platform; what prints as `[secret]` is read with `reveal()`. */
export type BotConfig = ValuesOf<typeof botFields> & {
  /** The app of the variables; absent when `ACCOUNTS_FILE` is set and none of them. */
  readonly account?: BotAccount;
};

/** The settings of the ops platform; what prints as `[secret]` is read with `reveal()`. */
export type OpsConfig = ValuesOf<typeof opsFields>;

/** The settings of message delivery; what prints as `[secret]` is read with `reveal()`. */
export type PushConfig = ValuesOf<typeof pushFields> & {
  /** The app of the variables; absent when `ACCOUNTS_FILE` is set and none of them. */
  readonly account?: PushAccount;
};

/** Everything one process needs to know; the parts of roles that it does not have are absent. */
export interface Config extends ValuesOf<typeof commonFields> {
  readonly role: Role;
  readonly bot?: BotConfig;
  readonly ops?: OpsConfig;
  readonly push?: PushConfig;
}

const roles: readonly Role[] = ['bot', 'ops', 'push', 'all'];

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
  const part = <F extends Fields>(fields: F): ValuesOf<F> | undefined => {
    try {
      return readSettings(fields, env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return undefined;
    }
  };
  const common = part(commonFields);
  const withAccount = <F extends Fields, A extends Fields>(name: Role, fields: F, ofAccount: A) => {
    if (role !== name && role !== 'all') return undefined;
    const account = isAppless(ofAccount, env) ? undefined : part(ofAccount);
    const read = part(fields);
    const named = account && { account: Object.freeze({ name: DEFAULT_ACCOUNT, ...account }) };
    return read && Object.freeze({ ...read, ...named });
  };
  const bot = withAccount('bot', botFields, botAccountFields);
  const platform = role === 'ops' || role === 'all' ? part(opsFields) : undefined;
  const ops = platform && Object.freeze(platform);
  const push = withAccount('push', pushFields, pushAccountFields);
  if (common === undefined || problems.size > 0) throw new ConfigError([...problems]);
  return Object.freeze({ role, ...common, ...(bot && { bot }), ...(ops && { ops }), ...(push && { push }) });
}

/** Whether there is a file of accounts, and no variable of an app beside it. Some of them without the others are a mistake. */
function isAppless(fields: Fields, env: Environment): boolean {
  const { menusDir: _, ...ofApp } = fields;
  return (
    Boolean(env.ACCOUNTS_FILE) && Object.values(ofApp).every((name) => !env[name] && !env[`${name}_FILE`])
  );
}
