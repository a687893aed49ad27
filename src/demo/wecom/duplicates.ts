import type { Clock } from './app.ts';

const DEFAULT_SECONDS = 1800;
const MOST_SECONDS = 14_400;

/** Recognises a message that was sent before, for callers that set `enable_duplicate_check` (protocol §4.2). */
export interface Duplicates {
  /** Whether the same message was sent within its `duplicate_check_interval`; remembers it if not. */
  has(message: Record<string, unknown>): boolean;
}

/** Makes an empty memory of what was sent; it forgets by time. */
export function createDuplicates(clock: Clock): Duplicates {
  const forgetAt = new Map<string, number>();
  return {
    has: (message) => {
      if (message.enable_duplicate_check !== 1) return false;
      const now = clock();
      for (const [key, time] of forgetAt) if (time <= now) forgetAt.delete(key);
      const key = JSON.stringify(message);
      if (forgetAt.has(key)) return true;
      const asked = message.duplicate_check_interval;
      const seconds = typeof asked === 'number' ? Math.min(asked, MOST_SECONDS) : DEFAULT_SECONDS;
      forgetAt.set(key, now + seconds * 1000);
      return false;
    },
  };
}
