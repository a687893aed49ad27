import type { Reply } from '../channels/channel.ts';
import { userOf, type Work } from './chat-parts.ts';
import type { Ending, Left, Stored } from './session-store.ts';

const AGAIN_MS = 1000;
/** No longer than a session can live. */
const GIVE_UP_MS = 600_000;
const NOTHING: Stored = { session: null, version: '' };

/**
 * Writes the ending. When Redis does not answer, it may or may not have been written: the user has not seen that
 * screen, so the session is ended as soon as Redis is back: no digit can mean what was never shown.
 */
export async function keep(work: Work, ending: Ending): Promise<Left | { readonly kind: 'broken' }> {
  const { store, incoming, owed, waiting } = work;
  try {
    const left = await store.leave(incoming, ending);
    if (left.kind === 'left' && left.isAwaited) owed.isNoted(incoming);
    if (left.kind === 'taken') work.isTakenOver = true;
    if (left.kind !== 'conflict') waiting.callNext(userOf(incoming));
    return left;
  } catch (error) {
    work.onError(error, incoming);
    const { reply } = ending;
    void letGo(work, ending.session === 'same' ? { reply } : { session: null, reply });
    return { kind: 'broken' };
  }
}

/** Leaves the line with a sentence, everything else as it was. */
export async function leaveWith(work: Work, sentence: string): Promise<Reply> {
  const left = await keep(work, { from: NOTHING, session: 'same', reply: sentence });
  return withoutReceipts(left.kind === 'taken' ? left.reply : sentence);
}

/** A reply that tells no outcome. */
export function withoutReceipts(text: string): Reply {
  return { text, receipts: [] };
}

/** A reply after which the answer comes. */
export function promise(text: string): Reply {
  return { text, receipts: [], isPromise: true };
}

/**
 * Leaves the line once Redis is back, if this delivery is in it, and with `session: null` ends the session first. Until
 * then the place in the line keeps the user's next message from being read against a screen that was never shown.
 */
export async function letGo(
  { store, incoming, waiting, sleep, now }: Work,
  { session, reply }: { readonly session?: null; readonly reply: string | undefined },
): Promise<void> {
  for (const until = now() + GIVE_UP_MS; now() < until; ) {
    try {
      if (session === null) await store.end(incoming);
      await store.letGo(incoming, reply);
      return waiting.callNext(userOf(incoming));
    } catch {
      await sleep(AGAIN_MS);
    }
  }
}
