import { randomBytes } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { isDuplicate, type Tx } from '../database/database.ts';

import { type App, createAppCache, type KeysParts } from './app-cache.ts';
import { type AppRow, addKey, insertApp, readApps, retireKey } from './app-store.ts';
import { createNonces } from './nonces.ts';
import { readScopes } from './scopes.ts';
import { deriveKey, hashOf } from './signature.ts';

export type { App } from './app-cache.ts';

/** An app that is to be made. */
export interface NewApp {
  readonly app: string;
  readonly scopes: readonly string[];
  /** Requests a minute; 600 unless said otherwise. */
  readonly perMinute?: number;
  readonly callbackHosts?: readonly string[];
}

/** What can be changed of an app; what is absent stays. */
export interface AppChanges extends Omit<Partial<NewApp>, 'app'> {
  readonly enabled?: boolean;
}

/** A key that was just made: it is shown once and stored nowhere. */
export interface NewKey {
  readonly app: string;
  readonly keyId: string;
  readonly key: string;
  /** Ids of older keys that it has put out of use. */
  readonly retired: readonly string[];
}

/** Apps and their keys. What an administrator changes throws an InputError that says what is wrong with it. */
export type Keys = ReturnType<typeof createKeys>;

const MOST_PER_MINUTE = 1_000_000;

/** Makes the keeper of app keys. */
export function createKeys(parts: KeysParts) {
  const { db, masterKey, now } = parts;
  const nonces = createNonces(db, now);
  const known = createAppCache(parts);
  /** An app, as it was at most a second ago; undefined when there is none. */
  const find = async (app: string): Promise<App | undefined> => (await known()).get(app);
  const makeKey = async (tx: Tx, app: string): Promise<NewKey> => {
    const keyId = randomBytes(4).toString('hex');
    const key = deriveKey(masterKey, app, keyId);
    const retired = await addKey(tx, app, { keyId, hash: hashOf(key), createdAt: now() });
    return { app, keyId, key, retired };
  };
  return {
    async create({ app, scopes, perMinute = 600, callbackHosts = [] }: NewApp): Promise<NewKey> {
      const fields = { app: readAppId(app), scopes: readScopes(scopes).words, enabled: true };
      const limits = {
        perMinute: readPerMinute(perMinute),
        callbackHosts: callbackHosts.map(readCallbackHost),
      };
      try {
        return await transact(db, async (tx) => {
          await insertApp(tx, { ...fields, ...limits }, now());
          return makeKey(tx, app);
        });
      } catch (error) {
        throw isDuplicate(error)
          ? new InputError(`There is an app "${app}" already; for a new key use rotate.`)
          : error;
      }
    },
    /** Makes a second key; the one before stays valid, a third is retired. */
    rotate: (app: string): Promise<NewKey> =>
      transact(db, async (tx) => {
        // The lock lets two who rotate at once do so one after the other.
        const row = await tx
          .selectFrom('apps')
          .select('app_id')
          .where('app_id', '=', app)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) throw unknownApp(app);
        return makeKey(tx, app);
      }),
    async retire(app: string, keyId: string): Promise<void> {
      if (await retireKey(db, app, keyId, now())) return;
      throw new InputError(`The app "${app}" has no valid key "${keyId}"; list shows the keys.`);
    },
    /** Works in every replica within 2 s. */
    async change(app: string, { scopes, perMinute, callbackHosts, enabled }: AppChanges): Promise<void> {
      const values = {
        ...(scopes !== undefined && { scopes: JSON.stringify(readScopes(scopes).words) }),
        ...(perMinute !== undefined && { per_minute: readPerMinute(perMinute) }),
        ...(callbackHosts !== undefined && {
          callback_hosts: JSON.stringify(callbackHosts.map(readCallbackHost)),
        }),
        ...(enabled !== undefined && { enabled: enabled ? 1 : 0 }),
      };
      const { numUpdatedRows } = await db
        .updateTable('apps')
        .set(values)
        .where('app_id', '=', app)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw unknownApp(app);
    },
    /** Every app as it stands in the database. */
    list: (): Promise<readonly AppRow[]> => readApps(db),
    find,
    useNonce: nonces.use,
    /** What signs the result callbacks of an app; undefined for an app that is unknown, disabled or without valid key. */
    newestKey: async (app: string): Promise<string | undefined> => {
      const found = await find(app);
      return found?.enabled ? found.keys[0] : undefined;
    },
    prune: nonces.prune,
  };
}

function unknownApp(app: string): InputError {
  return new InputError(`There is no app "${app}"; list shows all.`);
}

function readAppId(app: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,31}$/.test(app)) return app;
  throw new InputError('An app id is 1 to 32 lower-case letters, digits, _ and -, such as ci.');
}

function readPerMinute(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_PER_MINUTE) return limit;
  throw new InputError(`The limit a minute is a whole number from 1 to ${MOST_PER_MINUTE}.`);
}

function readCallbackHost(host: string): string {
  const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : undefined;
  if (url !== undefined && host.length <= 253 && url.hostname === host.toLowerCase()) return url.hostname;
  throw new InputError(`"${host}" is no host; write its name alone, such as hooks.internal.`);
}
