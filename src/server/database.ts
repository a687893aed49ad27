import { type Dialect, Kysely, MysqlAdapter, MysqlDialect, sql, type Transaction } from 'kysely';
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
  const db = new Kysely<Tables>({ dialect: dialectOf(openPool(url, options)) });
  if (onRetry !== undefined) retryHooks.set(db, onRetry);
  return db;
}

const LOCK_SECONDS = 3600;

/**
 * Kysely's for MySQL, but that the lock of its migrations is that of the database: locks have names on the whole server, and kysely's is
 * the same everywhere, so that one role or installation there could not start while another brought its own database up to date.
 */
function dialectOf(pool: ReturnType<typeof openPool>): Dialect {
  const dialect = new MysqlDialect({ pool: pool as never });
  // A name has 64 characters at most.
  const name = sql`concat('keypad-', sha2(database(), 224))`;
  const adapter = Object.assign(new MysqlAdapter(), {
    acquireMigrationLock: async (db: Kysely<unknown>) =>
      void (await sql`select get_lock(${name}, ${LOCK_SECONDS})`.execute(db)),
    releaseMigrationLock: async (db: Kysely<unknown>) =>
      void (await sql`select release_lock(${name})`.execute(db)),
  });
  return {
    createAdapter: () => adapter,
    createDriver: () => dialect.createDriver(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
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
