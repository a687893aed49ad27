import type { DeliveryState, Receiver } from '../content/message.ts';

/** What is noted after a call, or instead of one, of one delivery that we hold. */
export interface Record {
  readonly id: number;
  readonly messageId: string;
  /** How many receivers its message has. */
  readonly receivers: number;
  readonly line: string;
  readonly receiver: Receiver;
  /** Under which name it was claimed: the note counts only while that lease is ours. */
  readonly owner: string;
  /** `sending`: more parts follow, and the lease goes on. */
  readonly state: Exclude<DeliveryState, 'recalled' | 'cancelled'>;
  /** Unix ms; for what is queued again. */
  readonly dueAt: number;
  readonly tries: number;
  readonly parts: number;
  readonly msgids: readonly string[];
  readonly errcode: string | null;
  readonly problem: string | null;
  readonly lostAt: number | null;
  readonly attempt: Attempt | null;
  /** What the call said, where WeCom can check for repeats, and took it or may have. */
  readonly recent: RecentSend | null;
}

/** One part of a message as it reached WeCom, or may have: `isLost` when no answer was seen. */
export interface RecentSend {
  readonly words: string;
  readonly part: number;
  readonly isLost: boolean;
}

/** One call; `errcode` 0 is success. Times are Unix ms, durations ms. */
export interface Attempt {
  readonly at: number;
  readonly ms: number;
  readonly errcode: string;
  readonly errmsg: string;
  readonly msgid: string | null;
}

/** Whether nothing more will become of a delivery in this state by itself. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'queued' && state !== 'sending';
}
