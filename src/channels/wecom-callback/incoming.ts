import { type Callback, callbackKey } from '../../wecom/events/message.ts';
import { normalizeUserId } from '../../wecom/userid.ts';
import type { Channel, Incoming } from '../channel.ts';

/** Where a callback came in. */
export interface IncomingParts {
  readonly channel: Channel;
  readonly agentId: number;
  /** What was decrypted. */
  readonly plaintext: string;
  readonly trace: string;
}

/**
 * What a callback says to the chat, or null when there is nothing to answer: events, unknown kinds, another app's.
 * A click on the app's own menu bar is its key typed. Userids are told apart without regard to case (protocol §4.8).
 */
export function readIncoming(
  callback: Callback,
  { channel, agentId, plaintext, trace }: IncomingParts,
): Incoming | null {
  if (callback.kind === 'unknown' || callback.agentId !== agentId) return null;
  const isClick = callback.kind === 'event' && callback.event === 'click';
  if (callback.kind === 'event' && !isClick) return null;
  return {
    channel,
    user: normalizeUserId(callback.fromUserName),
    msgId: 'msgId' in callback ? callback.msgId : callbackKey(callback, plaintext),
    createdAt: callback.createTime,
    text: callback.kind === 'text' ? callback.content : isClick ? callback.eventKey : undefined,
    trace,
  };
}
