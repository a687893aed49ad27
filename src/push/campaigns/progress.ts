import { iso } from '../content/fields.ts';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';
import { type Count, countDeliveries, readSlices } from './counts-store.ts';

/** How far the run of a campaign is. total = waiting + queued + sent + failed + dead + recalled + cancelled. */
export interface Progress {
  readonly total: number;
  /** Final, however it ended: sent + failed + dead + recalled + cancelled. */
  readonly done: number;
  /** Handed out and not final: queued, or being sent. */
  readonly queued: number;
  readonly sent: number;
  readonly failed: number;
  readonly dead: number;
  readonly recalled: number;
  /** Handed out and not sent when the campaign was stopped. */
  readonly cancelled: number;
  /** Not handed out. */
  readonly waiting: number;
  /** Those that were not sent, by errcode; `none` when WeCom said nothing. */
  readonly byErrcode: Readonly<Record<string, number>>;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** How often it has run, with this run. */
  readonly runs: number;
}

const LIVE_AT_ONCE = 200;

/** Reads the progress of the last run: from what was counted when each slice ended, and only open slices row by row. */
export async function readProgress(db: Database, campaign: CampaignRow): Promise<Progress> {
  const slices = await readSlices(db, campaign);
  const counts: Count[] = slices.flatMap((slice) => slice.counts ?? []);
  const live = slices.filter((slice) => slice.counts === null).map(({ messageId }) => messageId);
  for (let from = 0; from < live.length; from += LIVE_AT_ONCE) {
    counts.push(...(await countDeliveries(db, live.slice(from, from + LIVE_AT_ONCE))));
  }
  const sum = (...states: readonly DeliveryState[]) =>
    counts.filter(({ state }) => states.includes(state)).reduce((all, { count }) => all + count, 0);
  const { total, run, started_at, finished_at } = campaign;
  const handedOut = counts.reduce((all, { count }) => all + count, 0);
  return {
    total,
    done: sum('sent', 'failed', 'dead', 'recalled', 'cancelled'),
    queued: sum('queued', 'sending'),
    sent: sum('sent'),
    failed: sum('failed'),
    dead: sum('dead'),
    recalled: sum('recalled'),
    cancelled: sum('cancelled'),
    waiting: total - handedOut,
    byErrcode: byErrcode(counts),
    startedAt: isoTime(started_at),
    finishedAt: isoTime(finished_at),
    runs: run,
  };
}

function byErrcode(counts: readonly Count[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { state, errcode, count } of counts) {
    if (state !== 'failed' && state !== 'dead') continue;
    sums.set(errcode ?? 'none', (sums.get(errcode ?? 'none') ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

/** Unix ms as ISO time. */
export function isoTime(at: number | null): string | null {
  return at === null ? null : iso(at);
}
