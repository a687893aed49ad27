import type { Context } from '../menu/tree/context.ts';
import type { Tree } from '../menu/tree/tree.ts';
import type { SessionStore, Speaker } from './session-store.ts';

/** One message of a user. `createdAt` is Unix seconds, as WeCom stamps it; `text` is absent for what is not text. */
export interface Incoming extends Speaker {
  readonly msgId: string;
  readonly createdAt: number;
  readonly text?: string | undefined;
  /** Names this message in every log line; its first eight characters are the number a user is told. */
  readonly trace: string;
}

/** What a user reads. `receipts` are the ids of the operations whose outcome the text tells: nobody else has to tell it. */
export interface Reply {
  readonly text: string;
  readonly receipts: readonly string[];
}

/** What the chat needs from outside; clock and timer are arguments, so that a test can hold them still. */
export interface ChatParts {
  readonly store: SessionStore;
  /** The menu a session began with, if it is still held, else the one that serves now. */
  menu(generation: string | undefined): Tree;
  /** Asks what the user may do. Throws `Unavailable`. */
  openContext(incoming: Incoming): Promise<Context>;
  /** Sends a text after the reply to its message. Never called for a text with receipts: the platform tells outcomes. */
  deliver(incoming: Incoming, text: string): Promise<void>;
  onError(error: unknown, incoming: Incoming): void;
  onSession(change: 'started' | 'ended'): void;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Calls back once after that time, unless the answer is called first. */
  after(milliseconds: number, call: () => void): () => void;
}
