import type { ReadOperation } from '../operation.ts';

/** Lists the units in which the caller may do anything, in the order of the policy. */
export const listUnits: ReadOperation<'units.list'> = {
  run: async ({ policy, subject }) => Object.keys(policy.rights(subject)),
};
