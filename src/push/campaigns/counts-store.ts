import { sql } from 'kysely';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';

/** How many deliveries ended, or stand, in a state with an errcode. */
export interface Count {
  readonly state: DeliveryState;
  readonly errcode: string | null;
  readonly count: number;
}

/** Counts the slices whose messages have become final, some at a time. */
export async function settleSlices(db: Database): Promise<void> {
  const { rows } = await sql<{ id: number; messageId: string; finishedAt: number }>`
    select s.id, s.message_id messageId, m.finished_at finishedAt
    from campaign_slices s join messages m on m.id = s.message_id
    where s.settled_at is null and m.open = 0 and m.finished_at is not null limit 100`.execute(db);
  for (const { id, messageId, finishedAt } of rows) {
    const counts = await countDeliveries(db, [messageId]);
    await db
      .updateTable('campaign_slices')
      .set({ settled_at: finishedAt, counts: JSON.stringify(counts) })
      .where('id', '=', id)
      .execute();
  }
}

/** The slices of the last run of a campaign, in order, with what they have come to. */
export async function readSlices(db: Database, { serial, run }: Pick<CampaignRow, 'serial' | 'run'>) {
  const { rows } = await sql<{
    id: number;
    messageId: string;
    counts: string | null;
    isCurrent: number | null;
  }>`
    select s.id, s.message_id messageId, s.counts,
      (m.id is null or (m.open = 0 and m.finished_at = s.settled_at)) isCurrent
    from campaign_slices s left join messages m on m.id = s.message_id
    where s.campaign = ${serial} and s.run = ${run} order by s.id`.execute(db);
  return rows.map(({ counts, isCurrent, ...slice }) => ({
    ...slice,
    /** Null when they must be counted anew: they were never, or the message has changed since. */
    counts: isCurrent === 1 && counts !== null ? (JSON.parse(counts) as readonly Count[]) : null,
  }));
}

/** Counts the deliveries of these messages as they stand. */
export async function countDeliveries(
  db: Database,
  messageIds: readonly string[],
): Promise<readonly Count[]> {
  const { rows } = await sql<Count>`
    select state, errcode, count(*) count from deliveries
    where message_id in (${sql.join([...messageIds])}) group by state, errcode`.execute(db);
  return rows;
}
