import { createPool, type PoolConnection, type QueryError } from 'mysql2';
import { readMysqlAddress } from './mysql-address.ts';
import { codeOf, isReadOnly } from './mysql-errors.ts';

/** How a database is used. */
export interface MysqlOptions {
  readonly connections?: number;
  /** The isolation level of statements and of transactions that set none; the server's own when left out. */
  readonly isolation?: 'read committed';
  /** A statement that takes longer than this many milliseconds is cut off: the server counts as unreachable. 5 s when left out. */
  readonly statementMs?: number;
  /**
   * On a connection that asks nothing for so many milliseconds the server ends the transaction, with its locks: whoever left it open stands
   * still, or is gone without a FIN. 10 s when left out.
   */
  readonly idleMs?: number;
  /** Milliseconds from any start. */
  readonly now?: () => number;
}

type Callback<T> = (error: Error | null, result: T) => void;

/** How often all connections may be replaced, so that a server that stays read-only is not flooded with new ones. */
const REPLACE_EVERY_MS = 1000;

/**
 * Opens a pool, in the form that kysely takes, whose sessions have the SQL mode and the collation that Keypad's statements rely on. No connection is made
 * before the first query.
 *
 * After a failover the address may lead to another server, while connections to the old one still look alive. So a statement that got
 * no answer, or that a read-only server refused, discredits every connection made before: each is closed instead of being handed out again.
 */
export function openPool(
  url: string,
  {
    connections = 10,
    isolation,
    statementMs = 5000,
    idleMs = 10_000,
    now = () => performance.now(),
  }: MysqlOptions = {},
) {
  const pool = createPool({
    ...readMysqlAddress(url),
    connectionLimit: connections,
    queueLimit: 1000,
    connectTimeout: 3000,
    // An idle connection whose other end is gone is noticed by the kernel after this and ten unanswered probes, a second apart.
    enableKeepAlive: true,
    keepAliveInitialDelay: 5000,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    supportBigNumbers: true,
    multipleStatements: false,
  });
  // Values are escaped with backslashes, so a server set to take those literally must not do so here.
  const settings = [
    `set session sql_mode = 'STRICT_TRANS_TABLES', innodb_lock_wait_timeout = 4, wait_timeout = ${idleMs / 1000}`,
  ];
  if (isolation !== undefined) settings.push(`set session transaction isolation level ${isolation}`);

  const generations = new WeakMap<PoolConnection, number>();
  let generation = 0;
  let replacedAt = Number.NEGATIVE_INFINITY;
  const isOld = (connection: PoolConnection): boolean => generations.get(connection) !== generation;
  const usedAt = new WeakMap<PoolConnection, number>();
  /** The server may be ending it at this moment. */
  const isIdle = (connection: PoolConnection): boolean =>
    now() - (usedAt.get(connection) ?? now()) > idleMs / 2;
  const discredit = (connection: PoolConnection): void => {
    if (isOld(connection) || now() - replacedAt < REPLACE_EVERY_MS) return;
    generation += 1;
    replacedAt = now();
  };

  const prepare = async (connection: PoolConnection): Promise<void> => {
    for (const sql of settings) await connection.promise().query({ sql, timeout: statementMs });
    generations.set(connection, generation);
  };

  const use = (connection: PoolConnection) => {
    let lostBy: Error | undefined;
    return {
      query(sql: string, values: readonly unknown[], callback: Callback<unknown>) {
        // Above all to a ROLLBACK: the server does that itself, and the caller learns what really happened.
        if (lostBy !== undefined) return callback(lostBy, undefined);
        const options = { sql, timeout: statementMs, values: [...values] };
        connection.query(options, (error: QueryError | null, result: unknown) => {
          if (error === null) return callback(null, result);
          const isLate = error.code === 'PROTOCOL_SEQUENCE_TIMEOUT';
          if (isLate || isReadOnly(error)) discredit(connection);
          if (isLate || error.fatal) {
            lostBy = named(error);
            connection.destroy();
          }
          callback(error, undefined);
        });
      },
      release(): void {
        usedAt.set(connection, now());
        connection.release();
      },
    };
  };

  const getConnection = (callback: Callback<ReturnType<typeof use>>): void =>
    pool.getConnection((error, connection) => {
      const fail = (cause: Error): void => callback(named(cause), undefined as never);
      if (error !== null) return fail(error);
      if (!generations.has(connection)) {
        prepare(connection).then(
          () => callback(null, use(connection)),
          (cause: Error) => {
            connection.destroy();
            fail(cause);
          },
        );
      } else if (isOld(connection) || isIdle(connection)) {
        connection.destroy();
        getConnection(callback);
      } else callback(null, use(connection));
    });
  return { getConnection, end: (callback: (error: unknown) => void): void => pool.end(callback) };
}

/** mysql2 gives no code to the error of a connection that is closed already, or of a pool that has too many waiting. */
function named(error: Error): Error {
  return codeOf(error) === '' ? Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST' }) : error;
}
