import type { Incoming, Reply } from '../channels/channel.ts';
import type { ChatParts } from './chat-parts.ts';
import { sentences } from './sentences.ts';
import type { Ending, Stored } from './session-store.ts';

const AGAIN_MS = 1000;
/** No longer than a session can live. */
const GIVE_UP_MS = 600_000;
const NOTHING: Stored = { session: null, version: '' };

/**
 * Writes the ending. When Redis does not answer, it may or may not have been written: the user has not seen that
 * screen, so the session is ended as soon as Redis is back: no digit can mean what was never shown.
 */
export async function keep(
  parts: ChatParts,
  incoming: Incoming,
  ending: Ending,
): Promise<Stored | null | 'broken'> {
  try {
    return await parts.store.leave(incoming, incoming.msgId, ending);
  } catch (error) {
    parts.onError(error, incoming);
    const reply = ending.reply ?? sentences.working;
    void letGo(parts, incoming, ending.session === 'same' ? { reply } : { session: null, reply });
    return 'broken';
  }
}

/** Leaves the line with a sentence, everything else as it was. */
export async function leaveWith(parts: ChatParts, incoming: Incoming, sentence: string): Promise<Reply> {
  await keep(parts, incoming, { from: NOTHING, session: 'same', reply: sentence });
  return withoutReceipts(sentence);
}

/** A reply that tells no outcome. */
export function withoutReceipts(text: string): Reply {
  return { text, receipts: [] };
}

/**
 * Leaves the line once Redis is back, and with `session: null` ends the session first. Until then the place in the line
 * keeps the user's next message from being read against a screen that was never shown.
 */
export async function letGo(
  parts: ChatParts,
  incoming: Incoming,
  { session, reply }: { readonly session?: null; readonly reply: string },
): Promise<void> {
  const left = async (): Promise<void> => {
    if (session === null) await parts.store.end(incoming);
    await parts.store.leave(incoming, incoming.msgId, { from: NOTHING, session: 'same', reply });
  };
  for (let waited = 0; waited < GIVE_UP_MS; waited += AGAIN_MS) {
    const isLeft = await left().then(
      () => true,
      () => false,
    );
    if (isLeft) return;
    await parts.sleep(AGAIN_MS);
  }
}
