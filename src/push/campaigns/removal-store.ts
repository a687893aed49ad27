import { sql } from 'kysely';
import type { CampaignState } from '../database/campaign-tables.ts';
import type { Database } from '../database/database.ts';
import { inPieces } from '../database/pieces.ts';
import type { PurgeParts } from '../messages/purge-store.ts';

/** How long a load may stand still before it counts as broken off; ms. */
const ABANDONED_MS = 600_000;
/** Rows that one statement removes: well within the database's patience, and of a purge, so that it holds nobody up. */
const LOADED_ROWS = 5000;
const PURGED_ROWS = 500;

const PARTS = ['campaign_receivers', 'campaign_returned', 'campaign_slices'];

/** Removes a campaign that did not load, with all that came in; its idempotency key is free at once. */
export async function removeLoading(db: Database, serial: number): Promise<void> {
  if (!(await hide(db, serial, ['loading', 'removing']))) return;
  for (let isMore = true; isMore; ) isMore = await removePiece(db, serial, LOADED_ROWS);
}

/**
 * Deletes campaigns that ended long ago and whose messages are gone, and what a process that died has left half loaded,
 * with their receivers, in at most 200 small pieces; any number of replicas may. Nobody sees one of which a part is gone.
 * A purge that is broken off goes on where it ended. `now` is Unix ms.
 */
export function purgeCampaigns(parts: PurgeParts & { readonly now: number }): Promise<void> {
  return inPieces(parts, async () => {
    const serial = await findNext(parts);
    if (serial === undefined) return false;
    await hide(parts.db, serial, ['loading', 'done', 'stopped']);
    await removePiece(parts.db, serial, PURGED_ROWS);
    return true;
  });
}

/**
 * Deletes what earlier runs of campaigns handed out long ago, once its messages are gone, in at most 200 small pieces: one
 * that runs every day never ends, and only its last run is told of.
 */
export function purgeSlices({ db, before, ...pace }: PurgeParts): Promise<void> {
  return inPieces(pace, async () => {
    const { rows } = await sql<{ id: number }>`
      select s.id from campaigns c
      straight_join campaign_slices s force index (campaign_slices_by_time)
        on s.campaign = c.serial and s.handed_at < ${before} and s.run < c.run
      left join messages m on m.id = s.message_id
      where m.id is null limit ${sql.lit(PURGED_ROWS)}`.execute(db);
    if (rows.length === 0) return false;
    await sql`delete from campaign_slices where id in (${sql.join(rows.map(({ id }) => id))})`.execute(db);
    return true;
  });
}

/** A campaign whose removal has begun, one that stands still while it is loading, or one that ended. */
async function findNext({ db, before, now }: PurgeParts & { readonly now: number }) {
  const { rows } = await sql<{ serial: number }>`
    (select serial from campaigns where state in ('loading', 'removing') and touched_at < ${now - ABANDONED_MS} limit 1)
    union all
    (select c.serial from campaigns c where c.state in ('done', 'stopped') and c.finished_at < ${before}
      and not exists (select 1 from campaign_slices s join messages m on m.id = s.message_id
        where s.campaign = c.serial) limit 1)`.execute(db);
  return rows[0]?.serial;
}

/** Takes a campaign that is in one of these states out of sight; resolves to whether it was. */
async function hide(db: Database, serial: number, states: readonly CampaignState[]): Promise<boolean> {
  const { numAffectedRows } =
    await sql`update campaigns force index (primary) set state = 'removing', idempotency_key = null
    where serial = ${serial} and state in (${sql.join(states)})`.execute(db);
  return numAffectedRows === 1n;
}

/** Removes so many rows of what belongs to a campaign, and at last itself; resolves to whether there is more. */
async function removePiece(db: Database, serial: number, most: number): Promise<boolean> {
  let removed = 0n;
  for (const table of PARTS) {
    const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)}
      where campaign = ${serial} limit ${sql.lit(most)}`.execute(db);
    removed += numAffectedRows;
  }
  if (removed > 0n) return true;
  await sql`delete from campaigns where serial = ${serial} and state = 'removing'`.execute(db);
  return false;
}
