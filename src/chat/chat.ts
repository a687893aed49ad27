import type { Incoming, Reply } from '../channels/channel.ts';
import { type ChatParts, NOTE_MS, userOf, type Work } from './chat-parts.ts';
import { leaveWith, letGo, promise, withoutReceipts } from './commit.ts';
import { lateText } from './late-text.ts';
import { answer } from './run-turn.ts';
import { sentences } from './sentences.ts';
import type { Repeat, Stored } from './session-store.ts';
import { createWaiting } from './waiting.ts';

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
  const shared = { track, waiting: createWaiting(), repeats: new Map<string, Promise<Reply | null>>() };
  return {
    /** Answers the reply to a message, or null for none: the message is a repeat whose first delivery still runs. Never throws. */
    receive: (incoming: Incoming): Promise<Reply | null> =>
      track(
        receive({ ...parts, ...shared, incoming, isLate: false, hasConfirmed: false, isTakenOver: false }),
      ),
    /** A reply has reached its channel. */
    sent({ isPromise }: Reply, incoming: Incoming): void {
      if (!isPromise) parts.owed.told(incoming);
    },
    /** Resolves when no message is being worked on any more, the late ones too. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

async function receive(work: Work): Promise<Reply | null> {
  const { incoming, store } = work;
  // The time counts from the arrival: what Redis takes is part of them.
  const almost = timer(work, incoming.channel.replyMs - NOTE_MS);
  const limit = timer(work, incoming.channel.replyMs);
  try {
    const entered = await store.enter(incoming);
    if (entered.kind === 'repeat') {
      const late = limit.over.then(() => Promise.reject(new Error('it took too long to find out')));
      return await Promise.race([repeatedOnce(work, entered), late]);
    }
    if (entered.kind === 'full') {
      work.onRefused(incoming, { kind: 'many', at: '' });
      return withoutReceipts(sentences.tooFast);
    }
    const first = entered.kind === 'turn' ? entered.stored : undefined;
    work.owed.hold(incoming);
    return await answerInTime(work, first, { almost: almost.over, limit: limit.over });
  } catch (error) {
    work.onError(error, incoming);
    // It may have been claimed all the same; whoever writes next must not wait for a message that nobody works on. It may
    // as well be a repeat of one that runs, so nothing is let go but what is claimed here, and nothing is said of its end.
    void letGo(work, { reply: sentences.lost });
    return withoutReceipts(sentences.storeDown);
  } finally {
    almost.cancel();
    limit.cancel();
  }
}

function timer({ after }: Work, ms: number) {
  const { promise: over, resolve } = Promise.withResolvers<null>();
  return { over, cancel: after(ms, () => resolve(null)) };
}

/** The time of a reply. `almost` leaves just what it takes to note that the answer is open. */
interface Times {
  readonly almost: Promise<null>;
  readonly limit: Promise<null>;
}

/** However many repeats of one message come at once, it is found out once what they get that have no reply yet. */
function repeatedOnce(work: Work, seen: Repeat): Promise<Reply | null> {
  const { incoming, repeats } = work;
  if (seen.reply) return repeated(work, seen);
  const message = `${userOf(incoming)}:${incoming.msgId}`;
  const found = repeats.get(message) ?? repeated(work, seen).finally(() => repeats.delete(message));
  repeats.set(message, found);
  return found;
}

/**
 * What a repeat gets: the finished reply, nothing while the first delivery runs, or that it died. The channel takes nothing
 * for the end of it and asks no more, so before that it is noted that the answer is open. Throws when it cannot be.
 */
async function repeated(work: Work, seen: Repeat): Promise<Reply | null> {
  const { incoming, store, owed } = work;
  if (seen.reply === '') {
    if (!(await owed.note(incoming))) throw new Error('it is not known whether the first delivery lives');
    // It may have ended before that, and found nothing noted.
    const now = await store.look(incoming);
    return now.reply === '' ? null : repeated(work, now);
  }
  owed.isNoted(incoming);
  if (seen.isPromise) return promise(sentences.working);
  if (seen.reply !== null) return { text: seen.reply, receipts: seen.receipts };
  return withoutReceipts((await store.takeOver(incoming)) ?? sentences.confirmationLost);
}

/**
 * The answer if it is there before the limit; otherwise a word that it is worked on, and the answer as a message later.
 * A late answer that tells an outcome is not sent from here: without its receipt the platform tells it.
 */
async function answerInTime(work: Work, first: Stored | undefined, { almost, limit }: Times): Promise<Reply> {
  const { incoming, store, owed, onError } = work;
  const answered = answer(work, first).catch(async (error: unknown) => {
    onError(error, incoming);
    const sentence = work.hasConfirmed ? sentences.failedAfterConfirmation : sentences.failed;
    return leaveWith(work, sentence(incoming.trace.slice(0, 8)));
  });
  const isNoted = almost.then(() => owed.note(incoming));
  const reply = await Promise.race([answered, limit]);
  if (reply !== null) {
    owed.letGo(incoming);
    return reply;
  }
  work.isLate = true;
  void work.track(deliverLate(work, answered));
  if (!(await isNoted)) return promise(sentences.workingAlone);
  void store.keepPromise(incoming).catch((error: unknown) => onError(error, incoming));
  return promise(sentences.working);
}

/** Sends the answer after the reply. */
async function deliverLate(work: Work, answered: Promise<Reply>): Promise<void> {
  const { deliver, incoming, owed, onError } = work;
  const { text, receipts } = await answered;
  try {
    if (work.isTakenOver) return;
    const about = sentences.answerTo(incoming.createdAt, incoming.text);
    if (receipts.length === 0) await deliver(incoming, lateText(about, text, incoming.channel));
    owed.told(incoming);
  } catch (error) {
    onError(error, incoming);
  } finally {
    owed.letGo(incoming);
  }
}
