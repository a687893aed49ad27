import { Kysely, MysqlDialect, type Transaction } from 'kysely';
import { type MysqlOptions, openPool } from './mysql.ts';
import { isDeadlock } from './mysql-errors.ts';

/** How often a transaction that lost a deadlock, or waited for a lock in vain, is tried at most. */
const TRIES = 6;

const retryHooks = new WeakMap<object, () => void>();

/**
 * Opens a database of Keypad's own; no connection is made before the first query. The URL is never logged. `onRetry` hears of every
 * transaction that {@link transact} runs again.
 */
export function openKysely<Tables>(
  url: string,
  { onRetry, ...options }: MysqlOptions & { readonly onRetry?: (() => void) | undefined } = {},
): Kysely<Tables> {
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: openPool(url, options) as never }) });
  if (onRetry !== undefined) retryHooks.set(db, onRetry);
  return db;
}

/**
 * Runs `work` in a transaction, and again when it lost a deadlock or waited for a lock in vain: then nothing of it was kept. Any other
 * error is the caller's; after one of the connection the transaction may have been committed.
 */
export async function transact<Tables, T>(
  db: Kysely<Tables>,
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (tries >= TRIES || !isDeadlock(error)) throw error;
      retryHooks.get(db)?.();
    }
  }
}
