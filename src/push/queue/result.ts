import type { DeliveryState } from '../content/message.ts';
import type { AttemptRow, DeliveryRow } from '../database/delivery-tables.ts';
import type { Claimed } from './claim.ts';

/** What changes of a delivery that we hold, after a call or instead of one. */
export interface Result
  extends Pick<DeliveryRow, 'due_at' | 'tries' | 'parts' | 'msgids' | 'errcode' | 'problem' | 'lost_at'> {
  readonly member: Claimed;
  /** `queued`: it stays first in its line, for another try or its next part. */
  readonly state: 'queued' | 'sent' | 'failed' | 'dead';
  /** The call; null when there was none. */
  readonly attempt: Attempt | null;
}

/** One call. */
export interface Attempt extends Pick<AttemptRow, 'at' | 'ms' | 'errcode' | 'errmsg' | 'msgid' | 'words'> {
  /** Whether it may have reached WeCom, so that it counts against the limits. */
  readonly isCounted: boolean;
}

/** Whether nothing more will become of a delivery in this state by itself. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'queued' && state !== 'sending';
}

/** What WeCom called the parts that it has taken; only message delivery writes there. */
export function readMsgids(msgids: string | null): readonly string[] {
  return msgids === null ? [] : (JSON.parse(msgids) as string[]);
}
