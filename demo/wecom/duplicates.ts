import { hash } from 'node:crypto';
import type { Clock } from './app.ts';

const DEFAULT_SECONDS = 1800;
const MOST_SECONDS = 14_400;
/** Older ones are forgotten before their time, so that memory stays flat under load. */
const MOST_KEPT = 200_000;

/** Recognises a message that was sent before, for callers that set `enable_duplicate_check` (protocol §4.2). */
export interface Duplicates {
  /** Whether the same message was sent within its `duplicate_check_interval`; remembers it if not. */
  has(message: Record<string, unknown>): boolean;
}

/** Makes an empty memory of what was sent. */
export function createDuplicates(clock: Clock): Duplicates {
  const forgetAt = new Map<string, number>();
  return {
    has: (message) => {
      if (message.enable_duplicate_check !== 1) return false;
      const now = clock();
      const { enable_duplicate_check: _check, duplicate_check_interval: interval, ...said } = message;
      const key = hash('sha1', JSON.stringify(said), 'base64');
      if ((forgetAt.get(key) ?? 0) > now) return true;
      const seconds = typeof interval === 'number' ? Math.min(interval, MOST_SECONDS) : DEFAULT_SECONDS;
      forgetAt.delete(key);
      forgetAt.set(key, now + seconds * 1000);
      const [oldest] = forgetAt.keys();
      if (forgetAt.size > MOST_KEPT && oldest !== undefined) forgetAt.delete(oldest);
      return false;
    },
  };
}
