import type { Incoming } from '../channels/channel.ts';
import type { Context } from '../menu/tree/context.ts';
import type { Tree } from '../menu/tree/tree.ts';
import type { Refused } from '../menu/turn/screen.ts';
import type { SessionStore } from './session-store.ts';

/** What the chat needs from outside; clock and timer are arguments, so that a test can hold them still. */
export interface ChatParts {
  readonly store: SessionStore;
  /** The menu a session began with, if it is still held, else the one that serves the message's account now. */
  menu(incoming: Incoming, generation: string | undefined): Tree;
  /** Asks what the user may do. Throws `Unavailable`. */
  openContext(incoming: Incoming): Promise<Context>;
  /** Sends a text after the reply to its message. Never called for a text with receipts: the platform tells outcomes. */
  deliver(incoming: Incoming, text: string): Promise<void>;
  onError(error: unknown, incoming: Incoming): void;
  onSession(change: 'started' | 'ended'): void;
  /** Something was refused without asking the platform: by the menu, or as `stale` because it came too late. */
  onRefused(incoming: Incoming, refused: Refused | (Pick<Refused, 'at'> & { readonly kind: 'stale' })): void;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Calls back once after that time, unless the answer is called first. */
  after(milliseconds: number, call: () => void): () => void;
}

/** One message on its way to its reply. */
export interface Work extends ChatParts {
  readonly incoming: Incoming;
  /** Makes what goes on after the reply known, so that a stop waits for it. */
  track<T>(work: Promise<T>): Promise<T>;
  /** The reply went out without the answer. */
  isLate: boolean;
  /** A confirmation was sent to the platform, or may have been. */
  hasConfirmed: boolean;
}
