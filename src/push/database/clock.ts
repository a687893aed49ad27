import { type RawBuilder, sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/**
 * The time of the database as SQL, Unix ms; no time zone and no summer time has a part in it. What replicas agree on (places
 * in a line, leases, limits) is told by this one clock: their own differ.
 */
export const databaseTime: RawBuilder<number> = sql<number>`(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)`;

/** Reads the clock of the database; Unix ms. */
export async function readClock(db: Database | Tx): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${databaseTime} now`.execute(db);
  return rows[0]?.now ?? 0;
}
