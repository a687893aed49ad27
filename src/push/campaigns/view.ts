import * as z from 'zod';
import { iso } from '../content/fields.ts';
import { visibleStates } from '../database/campaign-state.ts';
import type { CampaignRow } from './campaign-store.ts';
import { isoTime, type Progress } from './progress.ts';

const time = z.string().nullable();
const count = z.int();

const lineShape = {
  id: z.string(),
  name: z.string(),
  account: z.string(),
  state: z.enum(visibleStates),
  template: z.object({ key: z.string(), version: count.nullable() }),
  total: count,
  perMinute: count.nullable(),
  perDay: count.nullable(),
  createdAt: z.string(),
  nextRunAt: time,
  problem: time,
};

/** A campaign in a list. */
export const lineSchema = z.object(lineShape);

/** A campaign with the progress of its last run. */
export const wholeSchema = z.object({
  ...lineShape,
  doubles: count,
  progress: z.object({
    total: count,
    done: count,
    queued: count,
    sent: count,
    failed: count,
    dead: count,
    recalled: count,
    cancelled: count,
    waiting: count,
    byErrcode: z.record(z.string(), count),
    startedAt: time,
    finishedAt: time,
    runs: count,
  }),
});

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
export function wholeOf(row: CampaignRow, progress: Progress): z.infer<typeof wholeSchema> {
  return { ...lineOf(row), doubles: row.doubles, progress };
}
