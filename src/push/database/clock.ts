import { type RawBuilder, sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/**
 * The time as SQL, Unix ms. What replicas agree on (places in a line, leases, limits) is told by one clock, that of the
 * database: their own differ.
 */
export type DatabaseClock = () => RawBuilder<number>;

/** The clock of the database; no time zone and no summer time has a part in it. */
export const clockOfDatabase: DatabaseClock = () =>
  sql<number>`(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)`;

/** Reads a clock of the database; Unix ms. */
export async function readClock(db: Database | Tx, clock: DatabaseClock): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${clock()} now`.execute(db);
  return rows[0]?.now ?? 0;
}
