import * as z from 'zod';
import { read, unit } from './operation.ts';

/** The operations about message delivery: names, inputs, outputs. */
export const push = {
  /** A link to the queue view that its caller may use once; `minutes` says how long it is good. */
  'push.console': read({
    title: '控制台',
    input: z.strictObject({ unit }),
    output: z.strictObject({ url: z.string(), minutes: z.int() }),
  }),
} as const;
