import type { DeliveryState } from '../content/message.ts';
import type { Claimed } from './claim.ts';

/** What is recorded after a call, or instead of one, of one delivery that we hold. */
export interface Result {
  readonly member: Claimed;
  /** `queued`: it stays first in its line, for another try or its next part. */
  readonly state: 'queued' | 'sent' | 'failed' | 'dead';
  /** Unix ms; for what is queued again. */
  readonly dueAt: number;
  readonly tries: number;
  readonly parts: number;
  readonly msgids: readonly string[];
  readonly errcode: string | null;
  readonly problem: string | null;
  readonly lostAt: number | null;
  /** The call; null when there was none. */
  readonly attempt: Attempt | null;
}

/** One call; `errcode` 0 is success. Times are Unix ms, durations ms. */
export interface Attempt {
  readonly at: number;
  readonly ms: number;
  readonly errcode: string;
  readonly errmsg: string;
  readonly msgid: string | null;
  /** Whether it may have reached WeCom, so that it counts against the limits. */
  readonly isCounted: boolean;
  /** The digest of what it said, where WeCom can check for repeats and took it or may have. */
  readonly words: string | null;
}

/** Whether nothing more will become of a delivery in this state by itself. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'queued' && state !== 'sending';
}

/** What WeCom called the parts that it has taken; only message delivery writes there. */
export function readMsgids(msgids: string | null): readonly string[] {
  return msgids === null ? [] : (JSON.parse(msgids) as string[]);
}
