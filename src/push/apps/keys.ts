import { randomBytes } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { isDuplicate } from '../../server/mysql-errors.ts';
import type { Database, Tx } from '../database/database.ts';
import { type App, type AppRow, createAppCache, type KeysParts, readApps } from './app-cache.ts';
import { createNonces } from './nonce-store.ts';
import { readScopes } from './scopes.ts';
import { deriveKey, hashOf } from './signature.ts';

/** What can be changed of an app; what is absent stays. */
export type AppChanges = Partial<Pick<AppRow, 'scopes' | 'perMinute' | 'callbackHosts' | 'enabled'>>;

/** An app that is to be made; 600 requests a minute unless said otherwise. */
type NewApp = Pick<AppRow, 'app' | 'scopes'> & AppChanges;

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

  /** Whether the app has had such a valid key. */
  const retireKey = async (by: Database, app: string, keyId: string): Promise<boolean> => {
    const valid = by.updateTable('app_keys').set({ retired_at: now() }).where('retired_at', 'is', null);
    const named = valid.where((eb) => eb.and({ app_id: app, key_id: keyId }));
    return (await named.executeTakeFirst()).numUpdatedRows > 0n;
  };

  /**
   * Adds a key and retires all but the newest before it, so that two are valid; the caller holds the lock of the app. The
   * key is shown once and stored nowhere; `retired` are the ids of those that it has put out of use.
   */
  const makeKey = async (tx: Tx, app: string) => {
    const keyId = randomBytes(4).toString('hex');
    const key = deriveKey(masterKey, app, keyId);
    const ofApp = tx.selectFrom('app_keys').select('key_id').where('app_id', '=', app);
    const valid = await ofApp.where('retired_at', 'is', null).orderBy('id', 'desc').execute();
    const retired = valid.slice(1).map((row) => row.key_id);
    for (const old of retired) await retireKey(tx, app, old);
    const row = { app_id: app, key_id: keyId, key_hash: hashOf(key), created_at: now() };
    await tx.insertInto('app_keys').values(row).execute();
    return { app, keyId, key, retired };
  };

  return {
    async create({ app, ...given }: NewApp) {
      const lists = { scopes: '[]', callback_hosts: '[]' };
      const bare = { app_id: readAppId(app), ...lists, per_minute: 600, enabled: 1, created_at: now() };
      try {
        return await transact(db, async (tx) => {
          await tx.insertInto('apps').values(bare).execute();
          await changeApp(tx, app, given);
          return makeKey(tx, app);
        });
      } catch (error) {
        throw isDuplicate(error)
          ? new InputError(`There is an app "${app}" already; for a new key use rotate.`)
          : error;
      }
    },
    /** Makes a second key; the one before stays valid, a third is retired. */
    rotate: (app: string) =>
      transact(db, async (tx) => {
        // The lock lets two who rotate at once do so one after the other.
        const locked = tx.selectFrom('apps').select('app_id').where('app_id', '=', app).forUpdate();
        if ((await locked.executeTakeFirst()) === undefined) throw unknownApp(app);
        return makeKey(tx, app);
      }),
    async retire(app: string, keyId: string): Promise<void> {
      if (await retireKey(db, app, keyId)) return;
      throw new InputError(`The app "${app}" has no valid key "${keyId}"; list shows the keys.`);
    },
    /** Works in every replica within 2 s. */
    change: (app: string, changes: AppChanges): Promise<void> => changeApp(db, app, changes),
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

async function changeApp(by: Database, app: string, changes: AppChanges): Promise<void> {
  const { scopes, perMinute, callbackHosts, enabled } = changes;
  const columns = {
    ...(scopes !== undefined && { scopes: JSON.stringify(readScopes(scopes).words) }),
    ...(perMinute !== undefined && { per_minute: readPerMinute(perMinute) }),
    ...(callbackHosts !== undefined && {
      callback_hosts: JSON.stringify(callbackHosts.map(readCallbackHost)),
    }),
    ...(enabled !== undefined && { enabled: enabled ? 1 : 0 }),
  };
  const change = by.updateTable('apps').set(columns).where('app_id', '=', app);
  const { numUpdatedRows } = await change.executeTakeFirst();
  if (numUpdatedRows === 0n) throw unknownApp(app);
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
