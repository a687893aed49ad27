import * as z from 'zod';
import { principal } from './principal.ts';

/** The path after `/v1/`, and what the token of a report is made for. */
export const REPORTS = 'reports';

/** The most refusals that one report may name; the bot counts the rest together. */
export const REFUSALS_AT_ONCE = 100;

/** How long `at` may be; the bot cuts what is longer, such as the path of somebody who typed much. */
export const PLACE_LENGTH = 200;

const refusal = z.strictObject({
  /** Absent for the refusals of several users that are counted together. */
  user: principal.optional(),
  /** Why the bot did not do what was typed, without asking the platform. */
  kind: z.enum([
    'hidden', // an entry that this user does not see
    'rights', // no right at all, or one that was taken away since the screen was shown
    'stale', // the message was too old when it came
    'many', // it came while as many messages of its user waited as may
    'expired', // the preview was confirmed too late
    'code', // digits were typed that are not the confirmation code
  ]),
  /** Where in the menu: the file of an entry, or the path of the user; empty where there is none. */
  at: z.string().max(PLACE_LENGTH),
  count: z.int().min(1),
});

/**
 * What the bot tells the platform on its own account: refusals that it decided alone, and problems of files that it did
 * not load again. A report gives no right and runs nothing; it is written down, and the admins hear of the problems.
 */
export const report = z.strictObject({
  refusals: z.array(refusal).max(REFUSALS_AT_ONCE),
  problems: z.array(z.string().min(1).max(1000)).max(20),
});
export type Report = z.infer<typeof report>;
export type Refusal = Report['refusals'][number];
