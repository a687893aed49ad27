import type { ReadOperation } from '../operation.ts';

/** Says which operations the caller may run in which unit. */
export const me: ReadOperation<'me'> = {
  run: async ({ policy, subject }) => policy.rights(subject),
};
