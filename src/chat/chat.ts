import type { Incoming, Reply } from '../channels/channel.ts';
import { clip } from '../menu/words/text.ts';
import type { ChatParts, Work } from './chat-parts.ts';
import { leaveWith, letGo, withoutReceipts } from './commit.ts';
import { answer } from './run-turn.ts';
import { sentences } from './sentences.ts';
import type { Repeat, Stored } from './session-store.ts';

const WATCH_MS = 12_000;
const LOOK_AGAIN_MS = 1000;

/**
 * Makes the conversation with all users of all channels. It turns incoming messages into replies: each once, in order of
 * arrival, within the channel's time, never silent (ARCHITECTURE.md, the life of a message).
 */
export function createChat(parts: ChatParts) {
  const running = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    const done = () => running.delete(work);
    work.then(done, done);
    return work;
  };
  return {
    /** Answers the reply to a message, or null for none: the message is a repeat whose first delivery still runs. Never throws. */
    receive: (incoming: Incoming): Promise<Reply | null> =>
      track(receive({ ...parts, incoming, track, isLate: false, hasConfirmed: false })),
    /** Resolves when no message is being worked on any more, the late ones too. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

async function receive(work: Work): Promise<Reply | null> {
  const { incoming, store } = work;
  // The time counts from the arrival: what Redis takes is part of them.
  const limit = Promise.withResolvers<null>();
  const cancel = work.after(incoming.channel.replyMs, () => limit.resolve(null));
  try {
    const entered = await store.enter(incoming);
    if (entered.kind === 'repeat') return repeated(work, entered);
    const first = entered.kind === 'turn' ? entered.stored : undefined;
    return await answerInTime(work, first, limit.promise);
  } catch (error) {
    work.onError(error, incoming);
    // It may have been claimed all the same; whoever writes next must not wait for a message that nobody works on. It may
    // as well be a repeat of one that runs, so nothing is let go but what is claimed here, and nothing is said of its end.
    void letGo(work, { reply: sentences.lost });
    return withoutReceipts(sentences.storeDown);
  } finally {
    cancel();
  }
}

/** What a repeat gets: the finished reply, nothing while the first delivery runs, or that it died. */
function repeated(work: Work, seen: Repeat): Reply | null {
  if (seen.reply === null) return withoutReceipts(lostOf(seen));
  if (seen.reply !== '') return { text: seen.reply, receipts: seen.receipts };
  void watchFirst(work).catch((e) => work.onError(e, work.incoming));
  return null;
}

/** Once something was confirmed nothing is offered to be repeated: the user hears what became of it by itself. */
function lostOf({ confirmed }: Repeat): string {
  return confirmed ? sentences.confirmationLost : sentences.lost;
}

/**
 * The answer if it is there before the limit; otherwise a word that it is worked on, and the answer as a message later.
 * A late answer that tells an outcome is not sent from here: without its receipt the platform tells it.
 */
async function answerInTime(work: Work, first: Stored | undefined, limit: Promise<null>): Promise<Reply> {
  const { incoming, store, onError } = work;
  const answered = answer(work, first).catch(async (error: unknown) => {
    onError(error, incoming);
    const sentence = work.hasConfirmed ? sentences.failedAfterConfirmation : sentences.failed;
    return leaveWith(work, sentence(incoming.trace.slice(0, 8)));
  });
  const reply = await Promise.race([answered, limit]);
  if (reply !== null) return reply;
  work.isLate = true;
  const deliver = async (): Promise<void> => {
    const { text, receipts } = await answered;
    if (receipts.length === 0) await deliverLate(work, text);
  };
  void work.track(deliver().catch((error: unknown) => onError(error, incoming)));
  await store.keepReply(incoming, sentences.working).catch(() => {});
  return withoutReceipts(sentences.working);
}

/**
 * WeCom takes the empty answer to a repeat for the end of it and asks no more, so the first delivery is watched from
 * here: when the process that ran it has died, the user hears so.
 */
async function watchFirst(work: Work): Promise<void> {
  const { incoming, store } = work;
  for (let waited = 0; waited <= WATCH_MS; waited += LOOK_AGAIN_MS) {
    await work.sleep(LOOK_AGAIN_MS);
    const seen = await store.look(incoming);
    if (seen.kind !== 'repeat' || seen.reply === '') continue;
    if (seen.reply !== null) return;
    const lost = lostOf(seen);
    await store.keepReply(incoming, lost);
    return deliverLate(work, lost);
  }
}

/** Sends a text after the reply. It names the message it answers: by now its user may look at another screen. */
function deliverLate({ deliver, incoming }: Work, text: string): Promise<void> {
  const named = `${sentences.answerTo(incoming.createdAt, incoming.text)}\n${text}`;
  return deliver(incoming, clip(named, incoming.channel.lateBytes));
}
