import * as z from 'zod';
import { MAX_TEXT_BYTES } from './content-schema.ts';
import { variableName } from './fill.ts';
import { DEFAULT_ACCOUNT } from './message.ts';
import { shown } from './text-schema.ts';

/** The form of the ids of messages and campaigns, which are UUIDs in lower case. */
export const ID = /^[0-9a-f-]{36}$/;

/** The form of the name of an account. */
export const ACCOUNT = /^[a-z][a-z0-9-]{0,31}$/;

const accountName = z.string().regex(ACCOUNT, 'must be the name of an account');
/** The account that a campaign or a question is for. */
export const accountSchema = accountName.default(DEFAULT_ACCOUNT);
/** The account of a message. The default one counts as not named: both are the same request under an idempotency key. */
export const optionalAccount = accountName
  .transform((name) => (name === DEFAULT_ACCOUNT ? undefined : name))
  .optional();

/** A text of 1 to `max` characters (UTF-16). */
export const textOf = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .refine((text) => text.isWellFormed(), 'must not hold half characters (lone surrogates)');

/** An http or https address. */
export const webAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .max(2048, 'must be at most 2048 characters long');

/** The address to which results are posted. Whether the app may name this host is another question. */
export const callbackUrlSchema = webAddress.refine(
  (url) => !new URL(url).username && !new URL(url).password,
  'must be without a login',
);

/** An ISO time with its offset, as Unix ms. */
export const isoTime = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** A time of a request, if it has one: ISO with its offset, or Unix `seconds` in a form of their own; as Unix ms. */
export const timeOr = (seconds: z.ZodType<number | string>, like = '') =>
  z
    .union(
      [isoTime, seconds.transform((given) => Number(given) * 1000)],
      `must be an ISO time with its offset${like}, or Unix seconds`,
    )
    .optional();

/** Unix ms as answers show them. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** How many rows one page of a list has. */
export const pageLimit = (max: number, standard = 100) =>
  z.coerce.number().int().min(1).max(max).default(standard);

/** WeCom's number, or our word for no answer. */
export const errcodeSchema = z.union([z.int(), z.string()]);

/** An errcode as the database has it, which is a text. */
export function readErrcode(stored: string): number | string {
  return /^-?\d+$/.test(stored) ? Number(stored) : stored;
}

const MAX_VARIABLES = 100;

/** Values for `${NAME}` as callers hand them in: at most 100, each at most as long as a text. */
export const variablesSchema = z
  .record(
    z.string().regex(variableName, 'must be 1 to 32 capital letters, digits and _, a letter first'),
    z
      .string()
      .max(MAX_TEXT_BYTES)
      .overwrite(shown)
      .refine((value) => value.isWellFormed(), 'must be well-formed text'),
  )
  .refine((values) => Object.keys(values).length <= MAX_VARIABLES, `must be at most ${MAX_VARIABLES}`);

/** The form of the key of a template. */
export const TEMPLATE_KEY = /^[A-Za-z0-9._-]{1,32}$/;

/** A template by its key, with values for what it leaves open. */
export const templateSchema = z.strictObject({
  key: z.string().regex(TEMPLATE_KEY, 'must be the key of a template'),
  variables: variablesSchema.default({}),
});
