import * as z from 'zod';
import { apiNames } from './api-call.ts';

/**
 * One fault of Tencent's side: the next `times` calls of `api` are answered late (`delayMs`), with an `errcode`, with an
 * HTTP `status`, never (`hang`), or by a cut connection (`cut`). With `tookEffect` the call is carried out all the same,
 * so that only its answer is spoilt; with `receiver` it meets only calls that name this userid, chatid or robot.
 */
export const fault = z.strictObject({
  api: z.enum(apiNames),
  receiver: z.string().max(64).optional(),
  errcode: z.int().optional(),
  errmsg: z.string().max(1000).optional(),
  status: z.int().min(200).max(599).optional(),
  delayMs: z.int().min(0).max(600_000).optional(),
  hang: z.boolean().optional(),
  cut: z.boolean().optional(),
  tookEffect: z.boolean().optional(),
  times: z.union([z.int().min(1).max(1_000_000), z.literal('always')]).default(1),
});
export type Fault = z.infer<typeof fault>;
export type FaultInput = z.input<typeof fault>;

/** The faults still to come, in order. */
export interface Faults {
  /** Replaces all faults. */
  set(faults: readonly FaultInput[]): void;
  /** Uses up one turn of the first fault for that API; `names` tells whether the call names a receiver. */
  take(api: string, names: (receiver: string) => boolean): Fault | undefined;
  list(): readonly Fault[];
}

/** Makes an empty list of faults. `set` throws a ZodError for one that is not a fault. */
export function createFaults(): Faults {
  let pending: Fault[] = [];
  return {
    set: (faults) => {
      pending = z.array(fault).parse(faults);
    },
    take: (api, names) => {
      const found = pending.find(
        (candidate) =>
          candidate.api === api && (candidate.receiver === undefined || names(candidate.receiver)),
      );
      if (found === undefined || found.times === 'always') return found;
      const left = found.times - 1;
      pending = pending.flatMap((candidate) => {
        if (candidate !== found) return [candidate];
        return left === 0 ? [] : [{ ...found, times: left }];
      });
      return found;
    },
    list: () => pending,
  };
}
