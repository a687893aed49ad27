import type { ReadVerb } from '../verb.ts';

/** Lends the bot the outcomes that nobody has been told. */
export const claimOutcomes: ReadVerb<'outcomes.claim'> = {
  run: async ({ outcomes, now }) => outcomes.claim(now),
};
