import { sql } from 'kysely';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { DeliveryRow } from '../database/delivery-tables.ts';
import { inParts } from '../database/values.ts';
import type { CampaignRow } from './campaign-store.ts';

/** How many deliveries ended, or stand, in a state with an errcode. */
export interface Count extends Pick<DeliveryRow, 'state' | 'errcode'> {
  readonly count: number;
}

/** Counts the slices whose messages have become final, some at a time. */
export async function settleSlices(db: Database): Promise<void> {
  const { rows } = await sql<{ id: number; messageId: string; finishedAt: number }>`
    select s.id, s.message_id messageId, m.finished_at finishedAt
    from campaign_slices s join messages m on m.id = s.message_id
    where s.settled_at is null and m.open = 0 and m.finished_at is not null limit 100`.execute(db);
  for (const { id, messageId, finishedAt } of rows) {
    const counts = JSON.stringify(await countDeliveries(db, [messageId]));
    const settled = { settled_at: finishedAt, counts };
    await db.updateTable('campaign_slices').set(settled).where('id', '=', id).execute();
  }
}

/**
 * The slices of the last run of a campaign, in order, with what they have come to; its counts are null when they must be
 * counted anew: they were never, or the message has changed since.
 */
export async function readSlices(db: Database, { serial, run }: CampaignRow) {
  const { rows } = await sql<{ id: number; messageId: string; counts: string | null }>`
    select s.id, s.message_id messageId,
      if(m.id is null or (m.open = 0 and m.finished_at = s.settled_at), s.counts, null) counts
    from campaign_slices s left join messages m on m.id = s.message_id
    where s.campaign = ${serial} and s.run = ${run} order by s.id`.execute(db);
  return rows.map(({ counts, ...slice }) => ({
    ...slice,
    counts: counts === null ? null : (JSON.parse(counts) as readonly Count[]),
  }));
}

/** Counts the last run: what was counted when each slice ended, and only open slices row by row. */
export async function readCounts(db: Database, campaign: CampaignRow): Promise<readonly Count[]> {
  const slices = await readSlices(db, campaign);
  const live = slices.filter(({ counts }) => counts === null).map(({ messageId }) => messageId);
  return [...slices.flatMap(({ counts }) => counts ?? []), ...(await countDeliveries(db, live))];
}

/** How many of them are in one of these states. */
export function sum(counts: readonly Count[], ...states: readonly DeliveryState[]): number {
  return counts.reduce((all, { state, count }) => (states.includes(state) ? all + count : all), 0);
}

/** Counts the deliveries of these messages as they stand. */
function countDeliveries(db: Database, messageIds: readonly string[]): Promise<readonly Count[]> {
  return inParts(
    db,
    messageIds,
    (some) => sql<Count>`
      select state, errcode, count(*) count from deliveries where message_id in (${some}) group by state, errcode`,
  );
}
