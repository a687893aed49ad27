import { sql } from 'kysely';
import * as z from 'zod';
import { iso } from '../content/fields.ts';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { parts } from '../database/values.ts';
import type { CampaignRow } from './campaign-store.ts';

const count = z.int();
/** ISO 8601; null while it has not come. */
const time = z.string().nullable();

/** How far the last run of a campaign is. total = waiting + queued + sent + failed + dead + recalled + cancelled. */
export const progressSchema = z.object({
  total: count,
  /** Final, however it ended: sent + failed + dead + recalled + cancelled. */
  done: count,
  /** Handed out and not final: queued, or being sent. */
  queued: count,
  sent: count,
  failed: count,
  dead: count,
  recalled: count,
  /** Handed out and not sent when the campaign was stopped. */
  cancelled: count,
  /** Not handed out. */
  waiting: count,
  /** Those that were not sent, by errcode; `none` when WeCom said nothing. */
  byErrcode: z.record(z.string(), count),
  startedAt: time,
  finishedAt: time,
  /** How often it has run, with this run. */
  runs: count,
});

/** How many deliveries ended, or stand, in a state with an errcode. */
interface Count {
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

const LIVE_AT_ONCE = 200;

/** Reads the progress of the last run: from what was counted when each slice ended, and only open slices row by row. */
export async function readProgress(
  db: Database,
  campaign: CampaignRow,
): Promise<z.infer<typeof progressSchema>> {
  const slices = await readSlices(db, campaign);
  const counts: Count[] = slices.flatMap((slice) => slice.counts ?? []);
  const live = slices.filter((slice) => slice.counts === null).map(({ messageId }) => messageId);
  for (const some of parts(live, LIVE_AT_ONCE)) counts.push(...(await countDeliveries(db, some)));
  const sum = (...states: readonly DeliveryState[]) =>
    total(counts.filter((each) => states.includes(each.state)));
  const missed = counts.filter(({ state }) => state === 'failed' || state === 'dead');
  const byErrcode = Object.entries(Object.groupBy(missed, ({ errcode }) => errcode ?? 'none'));
  return {
    total: campaign.total,
    done: sum('sent', 'failed', 'dead', 'recalled', 'cancelled'),
    queued: sum('queued', 'sending'),
    sent: sum('sent'),
    failed: sum('failed'),
    dead: sum('dead'),
    recalled: sum('recalled'),
    cancelled: sum('cancelled'),
    waiting: campaign.total - total(counts),
    byErrcode: Object.fromEntries(byErrcode.map(([errcode, some = []]) => [errcode, total(some)])),
    startedAt: isoOrNull(campaign.started_at),
    finishedAt: isoOrNull(campaign.finished_at),
    runs: campaign.run,
  };
}

/** Counts the deliveries of these messages as they stand. */
async function countDeliveries(db: Database, messageIds: readonly string[]): Promise<readonly Count[]> {
  const { rows } = await sql<Count>`
    select state, errcode, count(*) count from deliveries
    where message_id in (${sql.join([...messageIds])}) group by state, errcode`.execute(db);
  return rows;
}

const total = (counts: readonly Count[]): number => counts.reduce((all, { count }) => all + count, 0);

/** Unix ms as ISO time. */
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));
