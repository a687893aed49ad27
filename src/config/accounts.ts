import { dirname } from 'node:path';
import { ConfigError, InputError } from '../errors.ts';
import { readTextFile } from '../server/text-file.ts';
import { readYaml } from '../server/yaml.ts';
import type { botAccountSettings } from './bot-settings.ts';
import { isRecord } from './json.ts';
import type { pushAccountSettings } from './push-settings.ts';
import { readAccount } from './read-account.ts';
import type { Secret, Settings, ValuesOf } from './setting.ts';
import type { shared } from './shared-settings.ts';
import { problemsOf } from './text.ts';

type AccountSettings = Settings & Pick<typeof shared, 'corpId' | 'agentId'>;
/** One app of one enterprise, by the name that messages, callbacks and logs give it, as a role knows it. */
type Account<S extends AccountSettings> = ValuesOf<S> & { readonly name: string };
export type BotAccount = Account<typeof botAccountSettings>;
export type PushAccount = Account<typeof pushAccountSettings>;

/** Where accounts come from, as the settings of a role have it. */
interface AccountSources<A> {
  /** `ACCOUNTS_FILE`, if there is one. */
  readonly accountsFile: string | undefined;
  /** The account of the `WECOM_*` variables, if they are set. */
  readonly account?: A;
  /** The folder of the menus of those that name none. */
  readonly menusDir?: string;
}

const FILE_BYTES = 256 * 1024;
const MOST = 200;

/**
 * The accounts in force, by name, and what is wrong with the file, by the account that it costs. One that is as it was
 * comes back as the object of `previous`, and so does one whose definition is bad. Throws a ConfigError when the file as a
 * whole cannot be used, or when not one account is left.
 */
export function loadAccounts<S extends AccountSettings>(
  settings: S,
  { accountsFile: path, account: standard, menusDir }: AccountSources<Account<S>>,
  previous: ReadonlyMap<string, Account<S>> = new Map(),
) {
  const accounts = new Map<string, Account<S>>();
  const problems = new Map<string, string>();
  if (standard !== undefined) accounts.set(standard.name, standard);
  for (const [name, entry] of path === undefined ? [] : readEntries(path)) {
    const old = previous.get(name);
    try {
      const folder = dirname(path as string);
      const account = readAccount({ name, entry, settings, menusDir, folder }) as Account<S>;
      const twin = [...accounts.values()].find(
        (one) => one.corpId === account.corpId && one.agentId === account.agentId,
      );
      if (twin !== undefined) throw new InputError(`is the same app as "${twin.name}"; name each app once`);
      accounts.set(name, old !== undefined && written(old) === written(account) ? old : account);
    } catch (error) {
      problems.set(name, `ACCOUNTS_FILE: account "${name}": ${problemsOf(error).join('; ')}`);
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
    const document = readYaml(readTextFile(path, FILE_BYTES), { schema: 'failsafe' });
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
