import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock } from './app.ts';

/** What the app sent with message/send, for taking it back. */
export interface SentMessages {
  /** A new msgid. */
  add(): string;
  /** The msgid, if it can be taken back; throws 40058 for one that is not this app's, or a day old (protocol §4.4). */
  readRecallable(msgid: unknown): string;
}

const RECALL_MS = 24 * 3600 * 1000;
/** Older ones are forgotten, and cannot be taken back then. */
const MOST_KEPT = 100_000;

/** Makes an empty list. */
export function createSentMessages(clock: Clock): SentMessages {
  const times = new Map<string, number>();
  return {
    add: () => {
      const msgid = randomBytes(24).toString('base64url');
      times.set(msgid, clock());
      const [oldest] = times.keys();
      if (times.size > MOST_KEPT && oldest !== undefined) times.delete(oldest);
      return msgid;
    },
    readRecallable: (msgid) => {
      const time = typeof msgid === 'string' ? times.get(msgid) : undefined;
      if (time === undefined || clock() >= time + RECALL_MS) throw new ApiError(40058);
      return `${msgid}`;
    },
  };
}
