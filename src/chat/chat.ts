import type { Context } from '../menu/context.ts';
import { Unavailable } from '../menu/context.ts';
import type { Tree } from '../menu/tree.ts';
import { currentScreen, type Turn, takeTurn } from '../menu/turn.ts';
import { sentences } from './sentences.ts';
import type { SessionStore, Speaker, Stored } from './session-store.ts';

/** One message of a user. `createdAt` is Unix seconds, as WeCom stamps it; `text` is absent for what is not text. */
export interface Incoming extends Speaker {
  readonly msgId: string;
  readonly createdAt: number;
  readonly text?: string | undefined;
  /** Names this message in every log line; its first eight characters are the number a user is told. */
  readonly trace: string;
}

/** What the chat needs from outside; clock and timer are arguments, so that a test can hold them still. */
export interface ChatParts {
  readonly store: SessionStore;
  /** The menu a session began with, if it is still held, else the one that serves now. */
  menu(generation: string | undefined): Tree;
  /** Asks what the user may do. Throws `Unavailable`. */
  openContext(incoming: Incoming): Promise<Context>;
  /** Sends a text outside of the reply. */
  deliver(incoming: Incoming, text: string): Promise<void>;
  onError(error: unknown, incoming: Incoming): void;
  onSession(change: 'started' | 'ended'): void;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Calls back once after that time, unless the answer is called first. */
  after(milliseconds: number, call: () => void): () => void;
}

export interface Chat {
  /** Answers the reply to a message, or null for none: the message is a repeat whose first delivery still runs. Never throws. */
  receive(incoming: Incoming): Promise<string | null>;
  /** Resolves when no message is being worked on any more, the late ones too. */
  idle(): Promise<void>;
}

const FRESH_SECONDS = 120;
const REPLY_LIMIT_MS = 4000;
const WAIT_LIMIT_MS = 12_000;
const ASK_AGAIN_MS = 20;
const LOOK_AGAIN_MS = 1000;
const RECOMPUTATIONS = 5;

/** Turns incoming messages into replies: each once, in order of arrival, within 4 s, never silent (design §3). */
export function createChat(parts: ChatParts): Chat {
  const running = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    const done = () => running.delete(work);
    work.then(done, done);
    return work;
  };
  return {
    receive: (incoming) => track(receive(parts, incoming, track)),
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

const NOTHING: Stored = { session: null, version: '' };

type Track = <T>(work: Promise<T>) => Promise<T>;

async function receive(parts: ChatParts, incoming: Incoming, track: Track): Promise<string | null> {
  const entered = await parts.store.enter(incoming, incoming.msgId).catch((e) => parts.onError(e, incoming));
  if (entered === undefined) {
    // It may have been claimed all the same; whoever writes next must not wait for a message that nobody works on.
    void letGo(parts, incoming, { reply: sentences.storeDown });
    return sentences.storeDown;
  }
  if (entered.kind === 'repeat' && entered.reply === '') {
    void watchFirst(parts, incoming).catch((e) => parts.onError(e, incoming));
    return null;
  }
  if (entered.kind === 'repeat') return entered.reply ?? sentences.lost;
  let late = false;
  const first = entered.kind === 'turn' ? entered.stored : undefined;
  const work = answer(parts, incoming, first, () => late).catch(async (error: unknown) => {
    parts.onError(error, incoming);
    return leaveWith(parts, incoming, sentences.failed(incoming.trace.slice(0, 8)));
  });
  const limit = Promise.withResolvers<null>();
  const cancel = parts.after(REPLY_LIMIT_MS, () => limit.resolve(null));
  const text = await Promise.race([work, limit.promise]);
  cancel();
  if (text !== null) return text;
  late = true;
  void track(work.then((result) => parts.deliver(incoming, result)).catch((e) => parts.onError(e, incoming)));
  await parts.store.keepReply(incoming, incoming.msgId, sentences.working).catch(() => {});
  return sentences.working;
}

/**
 * WeCom takes the empty answer to a repeat for the end of it and asks no more, so the first delivery is watched from
 * here: when the process that ran it has died, the user hears so.
 */
async function watchFirst(parts: ChatParts, incoming: Incoming): Promise<void> {
  for (let waited = 0; waited <= WAIT_LIMIT_MS; waited += LOOK_AGAIN_MS) {
    await parts.sleep(LOOK_AGAIN_MS);
    const seen = await parts.store.look(incoming, incoming.msgId);
    if (seen.kind !== 'repeat' || seen.reply === '') continue;
    if (seen.reply !== null) return;
    await parts.store.keepReply(incoming, incoming.msgId, sentences.lost);
    return parts.deliver(incoming, sentences.lost);
  }
}

/** Waits for the user's earlier messages, takes the turn, and keeps what came of it. */
async function answer(
  parts: ChatParts,
  incoming: Incoming,
  first: Stored | undefined,
  isLate: () => boolean,
): Promise<string> {
  let stored = first ?? (await waitForTurn(parts, incoming));
  if (stored === undefined) return leaveWith(parts, incoming, sentences.busy);
  for (let tries = 1; ; tries += 1) {
    const turn = await take(parts, incoming, stored);
    const session = tries > RECOMPUTATIONS ? 'same' : turn.session;
    const reply = isLate() ? undefined : turn.text;
    const newer = await keep(parts, incoming, { from: stored, session, reply });
    if (newer === 'broken') return turn.ran ? turn.text : sentences.notKept;
    if (newer === null) {
      count(parts, stored, session);
      return turn.text;
    }
    // A change that was asked for is not asked for again: its outcome stands, whatever screen the user is at by now.
    if (turn.ran) {
      await keep(parts, incoming, { from: newer, session: 'same', reply });
      return turn.text;
    }
    stored = newer;
  }
}

async function take(parts: ChatParts, incoming: Incoming, { session }: Stored): Promise<Turn> {
  const tree = parts.menu(session?.generation);
  try {
    const context = await parts.openContext(incoming);
    const stale = parts.now() / 1000 - incoming.createdAt > FRESH_SECONDS;
    if (!stale && incoming.text !== undefined) return await takeTurn(tree, session, incoming.text, context);
    const notice = stale ? sentences.expired : sentences.onlyText;
    return { text: currentScreen(tree, session, notice, context) ?? notice, session: 'same' };
  } catch (error) {
    if (error instanceof Unavailable) return { text: error.message, session: 'same' };
    throw error;
  }
}

async function waitForTurn(parts: ChatParts, incoming: Incoming): Promise<Stored | undefined> {
  for (let waited = 0; waited < WAIT_LIMIT_MS; waited += ASK_AGAIN_MS) {
    await parts.sleep(ASK_AGAIN_MS);
    const entered = await parts.store.askAgain(incoming, incoming.msgId);
    if (entered.kind === 'turn') return entered.stored;
  }
  return undefined;
}

/**
 * Writes the ending. When Redis does not answer, it may or may not have been written: the user has not seen that
 * screen, so the session is ended as soon as Redis is back: no digit can mean what was never shown.
 */
async function keep(
  parts: ChatParts,
  incoming: Incoming,
  ending: Parameters<SessionStore['leave']>[2],
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
async function leaveWith(parts: ChatParts, incoming: Incoming, sentence: string): Promise<string> {
  await keep(parts, incoming, { from: NOTHING, session: 'same', reply: sentence });
  return sentence;
}

/**
 * Leaves the line once Redis is back, and with `session: null` ends the session first. Until then the place in the line
 * keeps the user's next message from being read against a screen that was never shown.
 */
async function letGo(
  parts: ChatParts,
  incoming: Incoming,
  { session, reply }: { readonly session?: null; readonly reply: string },
): Promise<void> {
  const left = async (): Promise<void> => {
    if (session === null) await parts.store.end(incoming);
    await parts.store.leave(incoming, incoming.msgId, { from: NOTHING, session: 'same', reply });
  };
  // No longer than a session can live.
  for (let waited = 0; waited < 600_000; waited += LOOK_AGAIN_MS) {
    const isLeft = await left().then(
      () => true,
      () => false,
    );
    if (isLeft) return;
    await parts.sleep(LOOK_AGAIN_MS);
  }
}

function count(parts: ChatParts, { session: before }: Stored, after: Turn['session']): void {
  if (after === 'same') return;
  if (before === null && after !== null) parts.onSession('started');
  if (before !== null && after === null) parts.onSession('ended');
}
