import type { OwedAnswers } from '../../src/chat/index.ts';

/** For a chat whose process does not die: everything counts as noted. */
export const nothingOwed: OwedAnswers = {
  hold: () => {},
  note: async () => true,
  isNoted: () => {},
  letGo: () => {},
  told: () => {},
};
