import * as z from 'zod';
import { iso } from '../content/fields.ts';
import { visibleStates } from '../database/campaign-tables.ts';
import type { Database } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';
import { progressSchema, readProgress } from './progress-store.ts';

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
  nextRunAt: z.string().nullable(),
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
    nextRunAt: row.next_run_at === null ? null : iso(row.next_run_at),
    problem: row.problem,
  };
}

/** A campaign as its own page shows it. */
export async function wholeOf(db: Database, row: CampaignRow): Promise<z.infer<typeof wholeSchema>> {
  return { ...lineOf(row), doubles: row.doubles, progress: await readProgress(db, row) };
}
