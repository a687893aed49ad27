import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { USERID } from '../../wecom/userid.ts';
import {
  accountSchema,
  callbackUrlSchema,
  isoTime,
  templateSchema,
  textOf,
  variablesSchema,
} from '../content/fields.ts';
import { readValue } from '../content/read-value.ts';
import { readJson } from '../http/read-body.ts';

const count = z.int().min(1).max(100_000_000);

const scheduleSchema = z.union(
  [
    z.strictObject({ at: isoTime }),
    z.strictObject({
      cron: z.string().min(1).max(100),
      timezone: z.string().min(1).max(64).default('Asia/Shanghai'),
    }),
  ],
  'must be { at: ISO time with its offset } or { cron, timezone }',
);

/** The first line: what is sent, and when. */
export const campaignSchema = z.strictObject({
  name: textOf(100),
  template: templateSchema,
  account: accountSchema,
  schedule: scheduleSchema.optional(),
  /** At most so many receivers in any 60 s, and in a day of Asia/Shanghai. */
  perMinute: count.optional(),
  perDay: count.optional(),
  /** Starts it as soon as it is whole. */
  start: z.boolean().default(false),
  callbackUrl: callbackUrlSchema.optional(),
  idempotencyKey: textOf(128).optional(),
});
export type NewCampaign = z.infer<typeof campaignSchema>;

/** In lower case, since WeCom does not tell case apart (§4.8). */
const userid = z.string().regex(USERID, 'is no userid').toLowerCase();

/** A further line: a userid, alone or with values of its own. */
export const receiverSchema = z.union(
  [
    userid.transform((user) => ({ user, variables: undefined })),
    z.strictObject({ user: userid, variables: variablesSchema.optional() }),
  ],
  'must be a userid, or { "user": userid, "variables": { … } }',
);

/** The most bytes of one line. */
export const LONGEST_LINE = 4096;

/** Reads a line, null for one that is too long. Throws an InputError of one sentence. */
export function readLine<T>(schema: z.ZodType<T>, bytes: Buffer | null): T {
  if (bytes === null) throw new InputError(`is longer than ${LONGEST_LINE} bytes`);
  if (bytes.length === 0) throw new InputError('is empty');
  return readValue(schema, readJson(bytes, 'is not JSON in UTF-8'), '');
}
