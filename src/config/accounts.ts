import { dirname } from 'node:path';
import { ConfigError, InputError } from '../errors.ts';
import { readYaml } from '../server/yaml.ts';
import { botAccountSettings } from './bot-settings.ts';
import { isRecord } from './json.ts';
import { pushAccountSettings } from './push-settings.ts';
import { readAccount } from './read-account.ts';
import { readFile } from './read-settings.ts';
import type { Secret, Settings, ValuesOf } from './setting.ts';

/** One app of one enterprise, by the name that messages, callbacks and logs give it. */
export type BotAccount = ValuesOf<typeof botAccountSettings> & { readonly name: string };
/** The same app as message delivery knows it. */
export type PushAccount = ValuesOf<typeof pushAccountSettings> & { readonly name: string };

/** The accounts in force, by name, and what is wrong with the file, by the account that it costs. */
export interface LoadedAccounts<A> {
  readonly accounts: ReadonlyMap<string, A>;
  readonly problems: ReadonlyMap<string, string>;
}

/** Where accounts come from. */
export interface AccountsParts<A> {
  /** `ACCOUNTS_FILE`, if there is one. */
  readonly path: string | undefined;
  /** The account of the `WECOM_*` variables, if they are set. */
  readonly standard: A | undefined;
  /** What was in force until now: an account whose definition is bad goes on with its old one. */
  readonly previous?: ReadonlyMap<string, A>;
}

const FILE_BYTES = 256 * 1024;
const MOST = 200;

/** The accounts of the interface platform; `menusDir` is the folder of those that name none. Throws as {@link load}. */
export function loadBotAccounts(
  parts: AccountsParts<BotAccount> & { readonly menusDir: string },
): LoadedAccounts<BotAccount> {
  return load<BotAccount>(botAccountSettings, { menusDir: parts.menusDir }, parts);
}

/** The accounts of message delivery. Throws as {@link load}. */
export function loadPushAccounts(parts: AccountsParts<PushAccount>): LoadedAccounts<PushAccount> {
  return load<PushAccount>(pushAccountSettings, {}, parts);
}

/**
 * Reads the file; an account in it that is as it was comes back as the same object. Throws a ConfigError when the file
 * as a whole cannot be used, or when not one account is left.
 */
function load<A extends { readonly name: string; readonly corpId: string; readonly agentId: number }>(
  settings: Settings,
  defaults: Readonly<Record<string, unknown>>,
  { path, standard, previous }: AccountsParts<A>,
): LoadedAccounts<A> {
  const accounts = new Map<string, A>();
  const problems = new Map<string, string>();
  if (standard !== undefined) accounts.set(standard.name, standard);
  for (const [name, entry] of path === undefined ? [] : readEntries(path)) {
    const old = previous?.get(name);
    try {
      const account = readAccount({ name, entry, settings, defaults, folder: dirname(path as string) }) as A;
      const twin = [...accounts.values()].find(
        (one) => one.corpId === account.corpId && one.agentId === account.agentId,
      );
      if (twin !== undefined) throw new InputError(`is the same app as "${twin.name}"; name each app once`);
      accounts.set(name, old !== undefined && written(old) === written(account) ? old : account);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.set(name, `ACCOUNTS_FILE: account "${name}": ${error.message}`);
      if (old !== undefined) accounts.set(name, old);
    }
  }
  if (accounts.size === 0)
    throw new ConfigError([...problems.values(), 'ACCOUNTS_FILE gives no account that can be used']);
  return { accounts, problems };
}

/** The entries of the file by name, still unread. */
function readEntries(path: string): readonly (readonly [string, unknown])[] {
  try {
    // Without a schema every value stays the text that was written: a number is read as strictly as in a variable.
    const document = readYaml(readFile(path, FILE_BYTES), { schema: 'failsafe' });
    const accounts = isRecord(document) && Object.keys(document).join() === 'accounts' && document.accounts;
    if (!isRecord(accounts)) throw new InputError('must hold one map, accounts: { <name>: { corpId: … } }');
    const entries = Object.entries(accounts);
    if (entries.length > MOST) throw new InputError(`names over ${MOST} accounts; use a second deployment`);
    return entries;
  } catch (error) {
    throw error instanceof InputError ? new ConfigError([`ACCOUNTS_FILE ${error.message}`]) : error;
  }
}

/** An account as text, secrets and all, to see whether it changed. */
function written(account: object): string {
  const values = Object.entries(account).map(([field, value]) => [
    field,
    isRecord(value) && 'reveal' in value ? (value as unknown as Secret).reveal() : value,
  ]);
  return JSON.stringify(values);
}
