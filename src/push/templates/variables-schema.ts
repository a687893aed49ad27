import * as z from 'zod';
import { MAX_TEXT_BYTES } from '../content/content-schema.ts';
import { variableName } from '../content/fill.ts';

const MAX_VARIABLES = 100;

/** Values for `${NAME}` as callers hand them in: at most 100, each at most as long as a text. */
export const variablesSchema = z
  .record(
    z.string().regex(variableName, 'must be 1 to 32 capital letters, digits and _, a letter first'),
    z
      .string()
      .max(MAX_TEXT_BYTES)
      .refine((value) => value.isWellFormed(), 'must be well-formed text'),
  )
  .refine((values) => Object.keys(values).length <= MAX_VARIABLES, `must be at most ${MAX_VARIABLES}`);
