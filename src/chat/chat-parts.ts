import type { Incoming, Reply } from '../channels/channel.ts';
import type { Context } from '../menu/tree/context.ts';
import type { Tree } from '../menu/tree/tree.ts';
import type { Refused } from '../menu/turn/screen.ts';
import type { SessionStore } from './session-store.ts';
import type { Waiting } from './waiting.ts';

/**
 * The messages whose answer is open, as they are known outside of this process: when it dies, others tell what became of
 * them. The channel delivers nothing again once it got an answer, be it empty or a promise, so that one has to be noted.
 */
export interface OwedAnswers {
  /** From now on the message is worked on here. */
  hold(incoming: Incoming): void;
  /** Resolves within {@link NOTE_MS}, to whether it is known outside by then. */
  note(incoming: Incoming): Promise<boolean>;
  /** It may have been noted by somebody else. */
  isNoted(incoming: Incoming): void;
  /** Nobody works on it here any more. What is noted and not told is told by whoever finds it. */
  letGo(incoming: Incoming): void;
  /** Its writer has the answer, or will have it from others who know. */
  told(incoming: Incoming): void;
}

/** How long it may take to note something before the reply goes out without it. */
export const NOTE_MS = 500;

/** What the chat needs from outside; clock and timer are arguments, so that a test can hold them still. */
export interface ChatParts {
  readonly store: SessionStore;
  readonly owed: OwedAnswers;
  /** The menu a session began with, if it is still held, else the one that serves the message's account now. */
  menu(incoming: Incoming, generation: string | undefined): Tree;
  /** Asks what the user may do. Throws `Unavailable`. */
  openContext(incoming: Incoming): Promise<Context>;
  /** Sends a text after the reply to its message. Never called for a text with receipts: the platform tells outcomes. */
  deliver(incoming: Incoming, text: string): Promise<void>;
  onError(error: unknown, incoming: Incoming): void;
  onSession(change: 'started' | 'ended'): void;
  /**
   * Something was refused without asking the platform: by the menu, as `stale` because it came too late, or as `many` because
   * as many messages of this user waited as may.
   */
  onRefused(
    incoming: Incoming,
    refused: Refused | (Pick<Refused, 'at'> & { readonly kind: 'stale' | 'many' }),
  ): void;
  /** Unix ms. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Calls back once after that time, unless the answer is called first. */
  after(milliseconds: number, call: () => void): () => void;
}

/** One message on its way to its reply. */
export interface Work extends ChatParts {
  readonly incoming: Incoming;
  readonly waiting: Waiting;
  /** What the repeats of a message get, while it is found out. */
  readonly repeats: Map<string, Promise<Reply | null>>;
  /** Makes what goes on after the reply known, so that a stop waits for it. */
  track<T>(work: Promise<T>): Promise<T>;
  /** The reply went out without the answer. */
  isLate: boolean;
  /** A confirmation was sent to the platform, or may have been. */
  hasConfirmed: boolean;
  /** Others took this process for dead and have answered. */
  isTakenOver: boolean;
}

/** What the messages of one user have in common. */
export function userOf({ channel, user }: Incoming): string {
  return `${channel.scope}:${user}`;
}
