import type { WeComError } from '../../wecom/api/wecom-error.ts';

/** What to do about a call that failed. */
export type RetryDecision =
  /** Try again after so many ms. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** WeCom blocks: nothing for so many ms, of the `whole` app or only of this receiver. It is no try. */
  | { readonly kind: 'wait'; readonly forMs: number; readonly whole: boolean }
  /** WeCom refuses the whole account until somebody mends it: nothing is sent meanwhile. It is no try. */
  | { readonly kind: 'pause' }
  /** Upload the media once more, then try again. */
  | { readonly kind: 'media' }
  /** WeCom refuses this card because it has had it: it was sent. */
  | { readonly kind: 'sent' }
  /** WeCom refuses this message, or this receiver, for good. */
  | { readonly kind: 'failed' }
  /** Tried as often as it may be. */
  | { readonly kind: 'dead' };

/** How often one part is tried before its delivery is dead. */
export const MOST_TRIES = 8;

const FIRST_WAIT_MS = 500;
/** What the limit of a minute blocks for (§4.12). */
const BLOCK_MS = 60_000;
const MEDIA_GONE = 40007;
const TASK_ID_USED = 42014;
const API_FORBIDDEN = 48002;
const CHAT_WAITS = { kind: 'wait', forMs: BLOCK_MS, whole: false } as const;

/**
 * Decides by the errcode, never by errmsg, whose words may change (§4). `tries` counts this one, `wasLost` says that the answer
 * to an earlier one was lost; `random` is in [0, 1).
 *
 * Waits are 0.5, 1, 2, 4, 8, 16 and 32 s, each × 0.5 to 1.5, so that what failed together does not come back together.
 * WeCom does not say which limit was passed: the wait is that of the minute, and `Limits.block` makes a block that comes
 * back right after its end longer, up to the hour of the next limit.
 */
export function decideRetry(
  error: WeComError,
  { tries, wasLost }: { readonly tries: number; readonly wasLost: boolean },
  random: () => number,
): RetryDecision {
  const mayTry = tries < MOST_TRIES;
  if (error.errcode === MEDIA_GONE) return { kind: mayTry ? 'media' : 'failed' };
  // WeCom takes a task_id once (§4.3), and goes to the receivers of one call only: it was taken when the answer was lost.
  if (error.errcode === TASK_ID_USED && wasLost) return { kind: 'sent' };
  switch (error.kind) {
    case 'retry':
      if (!mayTry) return { kind: 'dead' };
      return {
        kind: 'again',
        afterMs: Math.round(FIRST_WAIT_MS * 2 ** Math.max(tries - 1, 0) * (0.5 + random())),
      };
    case 'limit':
      // A robot has a limit of its own (§5).
      return { kind: 'wait', forMs: BLOCK_MS, whole: !error.api.startsWith('webhook/') };
    // The one refresh has been made (§4.1), so it is not this message that WeCom refuses.
    case 'token':
    case 'account':
      // The key of a robot is no account's, and a right that only the API of group chats lacks holds up that chat alone.
      if (error.api.startsWith('webhook/')) return { kind: 'failed' };
      if (error.api.startsWith('appchat/') && error.errcode === API_FORBIDDEN) return CHAT_WAITS;
      return { kind: 'pause' };
    case 'permanent':
      // Without a token nothing has been said of any message.
      return { kind: error.api === 'gettoken' ? 'pause' : 'failed' };
  }
}
