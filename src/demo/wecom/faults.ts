import * as z from 'zod';
import { apiNames } from './api-name.ts';

/**
 * One fault of Tencent's side: the next `times` calls of `api` are answered late (`delayMs`), with an `errcode`,
 * with an HTTP `status`, or never (`hang`).
 */
export const fault = z.strictObject({
  api: z.enum(apiNames),
  errcode: z.int().optional(),
  status: z.int().min(200).max(599).optional(),
  delayMs: z.int().min(0).max(600_000).optional(),
  hang: z.boolean().optional(),
  times: z.int().min(1).max(1_000_000).default(1),
});
export type Fault = z.infer<typeof fault>;
export type FaultInput = z.input<typeof fault>;

/** The faults still to come, in order. */
export interface Faults {
  /** Replaces all faults. */
  set(faults: readonly FaultInput[]): void;
  /** Uses up one turn of the first fault for that API. */
  take(api: string): Fault | undefined;
  list(): readonly Fault[];
}

/** Makes an empty list of faults. `set` throws a ZodError for one that is not a fault. */
export function createFaults(): Faults {
  let pending: Fault[] = [];
  return {
    set: (faults) => {
      pending = z.array(fault).parse(faults);
    },
    take: (api) => {
      const found = pending.find((candidate) => candidate.api === api);
      if (found === undefined) return undefined;
      pending = pending
        .map((candidate) => (candidate === found ? { ...found, times: found.times - 1 } : candidate))
        .filter((candidate) => candidate.times > 0);
      return found;
    },
    list: () => pending,
  };
}
