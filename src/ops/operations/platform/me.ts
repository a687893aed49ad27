import type { ReadVerb } from '../verb.ts';

/** Says which operations the caller may run in which unit. */
export const me: ReadVerb<'me'> = {
  run: async ({ policy, subject }) => policy.rights(subject),
};
