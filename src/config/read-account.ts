import { resolve } from 'node:path';
import { ACCOUNT_NAME, DEFAULT_ACCOUNT } from '../contract/principal.ts';
import { InputError } from '../errors.ts';
import { isRecord } from './json.ts';
import { readSecretFile } from './read-settings.ts';
import type { Setting, Settings } from './setting.ts';
import { about, readEach } from './text.ts';

/** Stands in `ACCOUNTS_FILE` for the field of an account; both roles read the same file, each its own part of it. */
const KEYS = {
  corpId: 'corpId',
  agentId: 'agentId',
  token: 'tokenFile',
  encodingAesKey: 'encodingAesKeyFile',
  callbackSources: 'allowedSources',
  menusDir: 'menus',
  secret: 'secretFile',
  accountLimit: 'limits.accountLimit',
} as const;

interface Definition {
  readonly name: string;
  readonly entry: unknown;
  readonly settings: Settings;
  /** The folder of the menus when the entry names none. */
  readonly menusDir: string | undefined;
  /** Relative paths begin here. */
  readonly folder: string;
}

/** Reads the fields that a role needs, by the rules of the variables that say the same. Throws an InputError, or a ConfigError with several problems. */
export function readAccount({ name, entry, settings, menusDir, folder }: Definition): object {
  if (name === DEFAULT_ACCOUNT)
    throw new InputError('is the app of the WECOM_* variables; choose another name');
  if (!ACCOUNT_NAME.test(name))
    throw new InputError('a name is a letter, then up to 31 letters, digits and -, in lower case');
  const values = flatten(entry);
  const read = readEach(Object.entries(settings), ([field, setting]) => {
    const key = KEYS[field as keyof typeof KEYS];
    const value = values.get(key);
    if (value === undefined && key === KEYS.menusDir) return [field, menusDir] as const;
    return [field, readField(key, setting, value, folder)] as const;
  });
  return Object.freeze({ name, ...Object.fromEntries(read) });
}

/** The values of an entry by their key, `limits.` before those of the inner map. Unknown keys are typing errors. */
function flatten(entry: unknown): ReadonlyMap<string, unknown> {
  if (!isRecord(entry)) throw new InputError('must be a map with corpId, agentId and so on');
  const { limits = {}, ...outer } = entry;
  if (!isRecord(limits)) throw new InputError('limits must be a map, { accountLimit: … }');
  const inner = Object.entries(limits).map(([key, value]) => [`limits.${key}`, value] as const);
  const values = new Map([...Object.entries(outer), ...inner]);
  const known: readonly string[] = Object.values(KEYS);
  const [strange] = [...values.keys()].filter((key) => !known.includes(key));
  if (strange !== undefined) throw new InputError(`"${strange.slice(0, 40)}" is none of ${known.join(', ')}`);
  return values;
}

function readField(key: string, setting: Setting, value: unknown, folder: string): unknown {
  const text = Array.isArray(value) && key === KEYS.callbackSources ? value.join(',') : value;
  if (text === undefined || text === '') throw new InputError(`${key} is not set. ${setting.about}`);
  if (typeof text !== 'string') throw new InputError(`${key} must be one plain value`);
  if (!setting.file) {
    return about(key, () => setting.read(key === KEYS.menusDir ? resolve(folder, text) : text));
  }
  const secret = about(key, () => readSecretFile(resolve(folder, text)));
  return about(`what ${key} names`, () => setting.read(secret));
}
