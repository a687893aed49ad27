import type { Database, Tx } from './database.ts';

/** How often a transaction that lost a deadlock, or waited for a lock in vain, is tried again. */
const TRIES = 6;

/**
 * Runs `work` in a transaction, which sees what others have committed meanwhile (database.ts), and again when it lost a deadlock: then
 * nothing of it was kept. Any other error is the caller's; after one of the connection it may have been committed.
 */
export async function transact<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (tries >= TRIES || !isDeadlock(error)) throw error;
    }
  }
}

/** Whether a statement failed for another transaction's sake, and all of its own was undone. */
export function isDeadlock(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && /^ER_LOCK_(DEADLOCK|WAIT_TIMEOUT)$/.test(`${error.code}`)
  );
}
