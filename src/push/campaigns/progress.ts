import * as z from 'zod';
import { iso } from '../content/fields.ts';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';
import { type Count, countDeliveries, readSlices } from './counts-store.ts';

const count = z.int();
/** ISO 8601; null while it has not come. */
export const timeSchema = z.string().nullable();

/** How far the run of a campaign is. total = waiting + queued + sent + failed + dead + recalled + cancelled. */
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
  startedAt: timeSchema,
  finishedAt: timeSchema,
  /** How often it has run, with this run. */
  runs: count,
});

const LIVE_AT_ONCE = 200;

/** Reads the progress of the last run: from what was counted when each slice ended, and only open slices row by row. */
export async function readProgress(
  db: Database,
  campaign: CampaignRow,
): Promise<z.infer<typeof progressSchema>> {
  const slices = await readSlices(db, campaign);
  const counts: Count[] = slices.flatMap((slice) => slice.counts ?? []);
  const live = slices.filter((slice) => slice.counts === null).map(({ messageId }) => messageId);
  for (let from = 0; from < live.length; from += LIVE_AT_ONCE) {
    counts.push(...(await countDeliveries(db, live.slice(from, from + LIVE_AT_ONCE))));
  }
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
    startedAt: isoTime(campaign.started_at),
    finishedAt: isoTime(campaign.finished_at),
    runs: campaign.run,
  };
}

const total = (counts: readonly Count[]): number => counts.reduce((all, { count }) => all + count, 0);

/** Unix ms as ISO time. */
export const isoTime = (at: number | null): string | null => (at === null ? null : iso(at));
