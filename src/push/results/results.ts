import type { Tx } from '../database.ts';

/** Tells apps what became of their messages, at the address they gave. */
export interface Results {
  /** Notes, in the transaction that finishes these messages, that their apps are to be told; those without address are none. */
  note(tx: Tx, messageIds: readonly string[]): Promise<void>;
  /** After that transaction: there may be something to tell. */
  wake(): void;
}
