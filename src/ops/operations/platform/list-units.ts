import type { ReadVerb } from '../verb.ts';

/** Lists the units in which the caller may do anything, in the order of the policy. */
export const listUnits: ReadVerb<'units.list'> = {
  run: async ({ policy, subject }) => Object.keys(policy.rights(subject)),
};
