import type { Database } from '../database/database.ts';

/** An app as it stands in the database. */
export type AppRow = Awaited<ReturnType<typeof readApps>>[number];

/** Every app, by id; keys newest first, without the retired ones. Times are Unix ms. */
export async function readApps(db: Database) {
  const [apps, keys] = await Promise.all([
    db.selectFrom('apps').selectAll().orderBy('app_id').execute(),
    db.selectFrom('app_keys').selectAll().where('retired_at', 'is', null).orderBy('id', 'desc').execute(),
  ]);
  return apps.map((row) => ({
    app: row.app_id,
    scopes: JSON.parse(row.scopes) as readonly string[],
    perMinute: row.per_minute,
    /** Hosts that result callbacks may go to. */
    callbackHosts: JSON.parse(row.callback_hosts) as readonly string[],
    enabled: row.enabled === 1,
    keys: keys
      .filter((key) => key.app_id === row.app_id)
      // The hash is enough to see that the master key has changed, and no more.
      .map((key) => ({ keyId: key.key_id, hash: key.key_hash, createdAt: key.created_at })),
  }));
}
