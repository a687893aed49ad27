import type { Accepted, NewMessage } from '../content/message.ts';
import type { Tx } from '../database/database.ts';

/** What became of taking a message back. */
export interface Recalled {
  /** Deliveries that had not begun, and those that WeCom took back (§4.4). */
  readonly recalled: number;
  /** Deliveries that cannot be taken back, with the reason in one sentence. */
  readonly kept: readonly { readonly receiver: string; readonly reason: string }[];
}

/** Where messages are handed in; what is accepted stands in MySQL before the promise resolves. */
export interface MessageQueue {
  /** Writes a message down. Throws an InputError when its idempotency key was used for another request. */
  accept(message: NewMessage): Promise<Accepted>;
  /** Writes messages down within a transaction of the caller's; `wake` follows after its commit. Resolves to ids. */
  insert(tx: Tx, messages: readonly NewMessage[]): Promise<readonly string[]>;
  /** Something may be due. */
  wake(): void;
  /** Resolves to true when every delivery of the message is final, to false after `ms`. */
  finished(messageId: string, ms: number): Promise<boolean>;
  /** Takes a message of this app back; null when the app has none under this id. */
  recall(app: string, messageId: string): Promise<Recalled | null>;
  /** Queues the failed and dead deliveries of a message again; resolves to how many, null when the app has no such message. */
  resend(app: string, messageId: string): Promise<number | null>;
}
