import * as z from 'zod';
import { iso } from '../content/fields.ts';
import { deliveryStates } from '../content/message.ts';
import { visibleStates } from '../database/campaign-tables.ts';
import type { Database } from '../database/database.ts';
import { viewOf } from '../http/view.ts';
import type { CampaignRow } from './campaign-store.ts';
import { type Count, readCounts, sum } from './counts-store.ts';

const text = z.string();
const count = z.int();
/** ISO 8601; null while it has not come. */
const time = text.nullable();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

const line = viewOf<CampaignRow>()({
  id: [text, (row) => row.id],
  name: [text, (row) => row.name],
  account: [text, (row) => row.account],
  // A campaign that is not whole yet is found by nobody.
  state: [z.enum(visibleStates), (row) => row.state as (typeof visibleStates)[number]],
  template: [
    z.object({ key: text, version: count.nullable() }),
    (row) => ({ key: row.template_key, version: row.template_version }),
  ],
  total: [count, (row) => row.total],
  perMinute: [count.nullable(), (row) => row.per_minute],
  perDay: [count.nullable(), (row) => row.per_day],
  createdAt: [text, (row) => iso(row.created_at)],
  nextRunAt: [time, (row) => isoOrNull(row.next_run_at)],
  problem: [text.nullable(), (row) => row.problem],
});

/** How far the last run is. total = waiting + queued + sent + failed + dead + recalled + cancelled. */
const progress = viewOf<CampaignRow & { readonly counts: readonly Count[] }>()({
  total: [count, (row) => row.total],
  /** Final, however it ended. */
  done: [count, ({ counts }) => sum(counts, 'sent', 'failed', 'dead', 'recalled', 'cancelled')],
  /** Handed out and not final: queued, or being sent. */
  queued: [count, ({ counts }) => sum(counts, 'queued', 'sending')],
  sent: [count, ({ counts }) => sum(counts, 'sent')],
  failed: [count, ({ counts }) => sum(counts, 'failed')],
  dead: [count, ({ counts }) => sum(counts, 'dead')],
  recalled: [count, ({ counts }) => sum(counts, 'recalled')],
  /** Handed out and not sent when the campaign was stopped. */
  cancelled: [count, ({ counts }) => sum(counts, 'cancelled')],
  /** Not handed out. */
  waiting: [count, ({ total, counts }) => total - sum(counts, ...deliveryStates)],
  /** Those that were not sent, by errcode; `none` when WeCom said nothing. */
  byErrcode: [z.record(text, count), ({ counts }) => countMissed(counts)],
  startedAt: [time, (row) => isoOrNull(row.started_at)],
  finishedAt: [time, (row) => isoOrNull(row.finished_at)],
  /** How often it has run, with this run. */
  runs: [count, (row) => row.run],
});

function countMissed(counts: readonly Count[]): Readonly<Record<string, number>> {
  const byErrcode = Map.groupBy(counts, ({ errcode }) => errcode ?? 'none');
  const missed = [...byErrcode].map(([errcode, some]) => [errcode, sum(some, 'failed', 'dead')] as const);
  return Object.fromEntries(missed.filter(([, count]) => count > 0));
}

/** A campaign in a list. */
export const lineSchema = line.schema;
export const lineOf = line.show;

/** A campaign with the progress of its last run. */
export const wholeSchema = lineSchema.extend({ doubles: count, progress: progress.schema });

/** A campaign as its own page shows it. */
export async function wholeOf(db: Database, row: CampaignRow): Promise<z.infer<typeof wholeSchema>> {
  const counts = await readCounts(db, row);
  return { ...lineOf(row), doubles: row.doubles, progress: progress.show({ ...row, counts }) };
}
