import type { ReadOperation } from '../operation.ts';

/** Lends the bot the outcomes that nobody has been told. */
export const claimOutcomes: ReadOperation<'outcomes.claim'> = {
  run: async ({ outcomes, now }) => outcomes.claim(now),
};
