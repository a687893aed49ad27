import { sql } from 'kysely';
import { type Lane, lanes } from '../content/message.ts';
import type { DatabaseClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';

/** What waits in a lane. */
export interface Depth {
  readonly lane: Lane;
  /** Deliveries whose time has come and that have not ended. */
  readonly queued: number;
  /** How long the oldest of them has waited, in ms; 0 when there is none. */
  readonly oldestMs: number;
}

/** Counts what waits for each account; what goes through robots belongs to none. */
export async function countByAccount(db: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ account: string; queued: number }>`
    select l.account, count(*) queued from deliveries d join delivery_lines l on l.line = d.line
    where l.account <> '' group by l.account`.execute(db);
  return new Map(rows.map(({ account, queued }) => [account, Number(queued)]));
}

/** Counts what waits in each lane, from an index alone. */
export async function readDepth(db: Database, clock: DatabaseClock): Promise<readonly Depth[]> {
  const { rows } = await sql<Depth>`
    select substring_index(line, ':', 1) lane, count(*) queued, ${clock()} - min(since) oldestMs
    from deliveries where line > '' and since <= ${clock()} group by 1`.execute(db);
  const found = new Map(rows.map((row) => [row.lane, row]));
  return lanes.map((lane) => ({ lane, queued: 0, oldestMs: 0, ...found.get(lane) }));
}
