import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/** Adds to what apps have asked in that minute (of the Unix epoch); resolves to the sums of these apps, over all replicas. */
export async function addRequests(
  db: Database,
  minute: number,
  counted: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  // In one order, so that replicas wait for each other instead of locking each other out.
  const apps = [...counted.keys()].sort();
  await db
    .insertInto('app_rates')
    .values(apps.map((app) => ({ minute, app, requests: counted.get(app) ?? 0 })))
    .onDuplicateKeyUpdate({ requests: sql`requests + values(requests)` })
    .execute();
  const rows = await db
    .selectFrom('app_rates')
    .select(['app', 'requests'])
    .where('minute', '=', minute)
    .where('app', 'in', apps)
    .execute();
  return new Map(rows.map(({ app, requests }) => [app, requests]));
}

/** Deletes what was counted in minutes before that one. */
export async function deleteRequests(db: Database, before: number): Promise<void> {
  await db.deleteFrom('app_rates').where('minute', '<', before).execute();
}
