import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/** Each statement deletes at most so many rows, so that it holds nobody up. */
const ROWS = 500;
const MESSAGES = 50;
/** Between two statements others have the disk for themselves; ms. */
const PAUSE_MS = 50;
const PIECES = 200;

/** What purging needs. */
export interface PurgeParts {
  readonly db: Database;
  /** Messages that ended before then go; Unix ms. */
  readonly before: number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/**
 * Deletes messages that ended long ago, with their deliveries and attempts, in small pieces and at most 200 of them; any
 * number of replicas may. What is open, and what a campaign has not counted yet, stays. No line is touched: nothing of
 * such a message stands in one. A purge that is broken off goes on where it ended.
 */
export async function purgeMessages({ db, before, sleep }: PurgeParts): Promise<void> {
  let isMore = true;
  for (let piece = 0; piece < PIECES && isMore; piece += 1) {
    isMore = await purgePiece(db, before);
    if (isMore) await sleep(PAUSE_MS);
  }
}

/** Resolves to whether there may be more. */
async function purgePiece(db: Database, before: number): Promise<boolean> {
  const { rows: messages } = await sql<{ id: string }>`
    select m.id from messages m
    where m.finished_at < ${before} and m.open = 0
      and not exists (select 1 from campaign_slices s where s.message_id = m.id and s.settled_at is null)
    order by m.finished_at limit ${sql.lit(MESSAGES)}`.execute(db);
  if (messages.length === 0) return false;
  const ids = sql.join(messages.map(({ id }) => id));
  // What was recalled or sent again after its campaign had counted it is counted once more before it goes.
  const { numAffectedRows: stale } = await sql`
    update campaign_slices s join messages m on m.id = s.message_id set s.settled_at = null
    where s.message_id in (${ids}) and s.settled_at <> m.finished_at`.execute(db);
  if (Number(stale) > 0) return true;
  const { rows: deliveries } = await sql<{ id: number }>`
    select id from deliveries where message_id in (${ids}) and line is null limit ${sql.lit(ROWS)}`.execute(
    db,
  );
  if (deliveries.length > 0) {
    const some = sql.join(deliveries.map(({ id }) => id));
    const { numAffectedRows } = await sql`
      delete from attempts where delivery_id in (${some}) limit ${sql.lit(ROWS)}`.execute(db);
    // What has more attempts than one statement deletes is left for the next piece.
    if (Number(numAffectedRows) < ROWS) {
      await sql`delete from deliveries where id in (${some}) and line is null`.execute(db);
    }
    return true;
  }
  await sql`delete from messages where id in (${ids}) and open = 0
    and not exists (select 1 from deliveries d where d.message_id = messages.id)`.execute(db);
  return true;
}

/** Deletes what the limits need no more: days that are over, and blocks that ended a day ago. */
export async function purgeLimits(db: Database, now: number): Promise<void> {
  const yesterday = Math.floor(now / 86_400_000) - 2;
  await sql`delete from sent_days where day < ${yesterday}`.execute(db);
  await sql`delete from blocks where until_at < ${now - 86_400_000}`.execute(db);
}
