import { sql } from 'kysely';
import { DEFAULT_ACCOUNT, type Lane, lanes } from '../content/message.ts';
import type { Database } from '../database/database.ts';

/** What waits in a lane. */
export interface Depth {
  readonly lane: Lane;
  /** Deliveries whose time has come and that have not ended. */
  readonly queued: number;
  /** How long the oldest of them has waited, in ms; 0 when there is none. */
  readonly oldestMs: number;
}

/** Counts what waits for each account, from an index alone; what goes through robots belongs to none. */
export async function countByAccount(db: Database): Promise<ReadonlyMap<string, number>> {
  const place = sql`substring_index(substring(line, locate(':', line) + 1), ':', 1)`;
  const { rows } = await sql<{ account: string; queued: number }>`
    select if(locate('/', ${place}) > 0, substring_index(${place}, '/', 1), ${DEFAULT_ACCOUNT}) account,
      count(*) queued
    from deliveries where line > '' and ${place} <> 'robot' group by 1`.execute(db);
  return new Map(rows.map(({ account, queued }) => [account, Number(queued)]));
}

/** Counts what waits in each lane, from an index alone. */
export async function readDepth(db: Database, now: number): Promise<readonly Depth[]> {
  const { rows } = await sql<{ lane: string; queued: number; oldest: number }>`
    select substring_index(line, ':', 1) lane, count(*) queued, min(since) oldest
    from deliveries where line > '' and since <= ${now} group by 1`.execute(db);
  const found = new Map(rows.map((row) => [row.lane, row]));
  return lanes.map((lane) => {
    const row = found.get(lane);
    return { lane, queued: row?.queued ?? 0, oldestMs: row === undefined ? 0 : now - row.oldest };
  });
}
