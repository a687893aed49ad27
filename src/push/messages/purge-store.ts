import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { inPieces, type Pace } from '../database/pieces.ts';

/** Each statement deletes at most so many rows, so that it holds nobody up. */
const MESSAGES = 500;
const DELIVERIES = 500;
const ATTEMPTS = 1000;

/** What purging needs. */
export interface PurgeParts extends Pace {
  readonly db: Database;
  /** What ended before then goes; Unix ms. */
  readonly before: number;
}

/**
 * Deletes messages that ended long ago, with their deliveries and attempts, in at most 200 small pieces; any number of
 * replicas may. A piece is 500 messages with one receiver each, or as many deliveries of larger ones. What is open, and
 * what a campaign has not counted yet, stays. No line is touched: nothing of such a message stands in one. A purge that
 * is broken off goes on where it ended.
 */
export function purgeMessages({ db, before, ...pace }: PurgeParts): Promise<void> {
  return inPieces(pace, () => purgePiece(db, before));
}

/** Resolves to whether there may be more. */
async function purgePiece(db: Database, before: number): Promise<boolean> {
  const messages = await findEnded(db, before);
  if (messages.length === 0) return false;
  const ids = sql.join(messages);
  // What was recalled or sent again after its campaign had counted it is counted once more before it goes.
  const { numAffectedRows: stale } = await sql`
    update campaign_slices s join messages m on m.id = s.message_id set s.settled_at = null
    where s.message_id in (${ids}) and s.settled_at <> m.finished_at`.execute(db);
  if (Number(stale) > 0) return true;
  const { rows: deliveries } = await sql<{ id: number }>`
    select id from deliveries where message_id in (${ids}) and line is null limit ${sql.lit(DELIVERIES)}`.execute(
    db,
  );
  if (deliveries.length > 0) {
    const some = sql.join(deliveries.map(({ id }) => id));
    const { numAffectedRows } = await sql`
      delete from attempts where delivery_id in (${some}) limit ${sql.lit(ATTEMPTS)}`.execute(db);
    // What has more attempts than one statement deletes is left for the next piece.
    if (Number(numAffectedRows) === ATTEMPTS) return true;
    await sql`delete from deliveries where id in (${some}) and line is null`.execute(db);
  }
  await sql`delete from messages where id in (${ids}) and open = 0
    and not exists (select 1 from deliveries d where d.message_id = messages.id)`.execute(db);
  return true;
}

/** The oldest messages that may go: as many as a piece has deliveries, but one at least. */
async function findEnded(db: Database, before: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string; receivers: number }>`
    select m.id, m.receivers from messages m
    where m.finished_at < ${before} and m.open = 0
      and not exists (select 1 from campaign_slices s where s.message_id = m.id and s.settled_at is null)
    order by m.finished_at limit ${sql.lit(MESSAGES)}`.execute(db);
  let receivers = 0;
  const fitting = rows.filter((message) => {
    receivers += message.receivers;
    return receivers <= DELIVERIES;
  });
  return (fitting.length > 0 ? fitting : rows.slice(0, 1)).map(({ id }) => id);
}

/** Deletes what the limits need no more: days that are over, and blocks that ended a day ago. */
export async function purgeLimits(db: Database, now: number): Promise<void> {
  const yesterday = Math.floor(now / 86_400_000) - 2;
  await sql`delete from sent_days where day < ${yesterday}`.execute(db);
  await sql`delete from blocks where until_at < ${now - 86_400_000}`.execute(db);
}
