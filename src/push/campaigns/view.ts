import * as z from 'zod';
import { iso } from '../content/fields.ts';
import type { DeliveryState } from '../content/message.ts';
import { visibleStates } from '../database/campaign-tables.ts';
import type { Database } from '../database/database.ts';
import { parts } from '../database/values.ts';
import type { CampaignRow } from './campaign-store.ts';
import { type Count, countDeliveries, readSlices } from './counts-store.ts';

const count = z.int();
/** ISO 8601; null while it has not come. */
const timeSchema = z.string().nullable();

/** How far the run of a campaign is. total = waiting + queued + sent + failed + dead + recalled + cancelled. */
const progressSchema = z.object({
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

/** A campaign in a list. */
export const lineSchema = z.object({
  id: z.string(),
  name: z.string(),
  account: z.string(),
  state: z.enum(visibleStates),
  template: z.object({ key: z.string(), version: z.int().nullable() }),
  total: z.int(),
  perMinute: z.int().nullable(),
  perDay: z.int().nullable(),
  createdAt: z.string(),
  nextRunAt: timeSchema,
  problem: z.string().nullable(),
});

/** A campaign with the progress of its last run. */
export const wholeSchema = lineSchema.extend({ doubles: z.int(), progress: progressSchema });

/** A campaign as a list shows it. */
export function lineOf(row: CampaignRow): z.infer<typeof lineSchema> {
  return {
    id: row.id,
    name: row.name,
    account: row.account,
    // A campaign that is not whole yet is found by nobody.
    state: row.state as (typeof visibleStates)[number],
    template: { key: row.template_key, version: row.template_version },
    total: row.total,
    perMinute: row.per_minute,
    perDay: row.per_day,
    createdAt: iso(row.created_at),
    nextRunAt: isoTime(row.next_run_at),
    problem: row.problem,
  };
}

/** A campaign as its own page shows it. */
export async function wholeOf(db: Database, row: CampaignRow): Promise<z.infer<typeof wholeSchema>> {
  return { ...lineOf(row), doubles: row.doubles, progress: await readProgress(db, row) };
}

const LIVE_AT_ONCE = 200;

/** Reads the progress of the last run: from what was counted when each slice ended, and only open slices row by row. */
async function readProgress(db: Database, campaign: CampaignRow): Promise<z.infer<typeof progressSchema>> {
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
    startedAt: isoTime(campaign.started_at),
    finishedAt: isoTime(campaign.finished_at),
    runs: campaign.run,
  };
}

const total = (counts: readonly Count[]): number => counts.reduce((all, { count }) => all + count, 0);

/** Unix ms as ISO time. */
const isoTime = (at: number | null): string | null => (at === null ? null : iso(at));
