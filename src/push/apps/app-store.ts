import type { Database, Tx } from '../database/database.ts';

/** An app as it stands in the database; keys newest first, without the retired ones. */
export interface AppRow {
  readonly app: string;
  readonly scopes: readonly string[];
  readonly perMinute: number;
  /** Hosts that result callbacks may go to. */
  readonly callbackHosts: readonly string[];
  readonly enabled: boolean;
  readonly keys: readonly KeyRow[];
}

export interface KeyRow {
  readonly keyId: string;
  /** Of the key: enough to see that the master key has changed, and no more. */
  readonly hash: string;
  /** Unix ms. */
  readonly createdAt: number;
}

/** Every app, by id. */
export async function readApps(db: Database): Promise<readonly AppRow[]> {
  const [apps, keys] = await Promise.all([
    db.selectFrom('apps').selectAll().orderBy('app_id').execute(),
    db.selectFrom('app_keys').selectAll().where('retired_at', 'is', null).orderBy('id', 'desc').execute(),
  ]);
  return apps.map((row) => ({
    app: row.app_id,
    scopes: JSON.parse(row.scopes),
    perMinute: row.per_minute,
    callbackHosts: JSON.parse(row.callback_hosts),
    enabled: row.enabled === 1,
    keys: keys
      .filter((key) => key.app_id === row.app_id)
      .map((key) => ({ keyId: key.key_id, hash: key.key_hash, createdAt: key.created_at })),
  }));
}

/** Writes an app down; a taken id fails as a duplicate. */
export async function insertApp(tx: Tx, app: Omit<AppRow, 'keys'>, now: number): Promise<void> {
  await tx
    .insertInto('apps')
    .values({
      app_id: app.app,
      scopes: JSON.stringify(app.scopes),
      per_minute: app.perMinute,
      callback_hosts: JSON.stringify(app.callbackHosts),
      enabled: app.enabled ? 1 : 0,
      created_at: now,
    })
    .execute();
}

/**
 * Adds a key and retires all but the newest before it, so that two are valid; resolves to the ids of the retired ones.
 * The caller holds the lock of the app.
 */
export async function addKey(tx: Tx, app: string, key: KeyRow): Promise<readonly string[]> {
  const { keyId, hash, createdAt } = key;
  const valid = await tx
    .selectFrom('app_keys')
    .select('key_id')
    .where('app_id', '=', app)
    .where('retired_at', 'is', null)
    .orderBy('id', 'desc')
    .execute();
  const old = valid.slice(1).map((row) => row.key_id);
  if (old.length > 0) {
    await tx
      .updateTable('app_keys')
      .set({ retired_at: createdAt })
      .where('app_id', '=', app)
      .where('key_id', 'in', old)
      .execute();
  }
  await tx
    .insertInto('app_keys')
    .values({ app_id: app, key_id: keyId, key_hash: hash, created_at: createdAt, retired_at: null })
    .execute();
  return old;
}

/** Retires one key; false when the app has no such valid key. */
export async function retireKey(db: Database, app: string, keyId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('app_keys')
    .set({ retired_at: now })
    .where('app_id', '=', app)
    .where('key_id', '=', keyId)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
