import { Kysely, MysqlDialect } from 'kysely';
import { createPool, type Pool, type PoolConnection, type QueryError } from 'mysql2';

/** A statement that takes longer than this many milliseconds is cut off: the database counts as unreachable. */
const STATEMENT_MS = 5000;

/** How a database is used. */
export interface MysqlOptions {
  readonly connections?: number;
  /** The isolation level of statements and of transactions that set none; the server's own when left out. */
  readonly isolation?: 'read committed';
}

/** Opens a database of Keypad's own; no connection is made before the first query. The URL is never logged. */
export function openKysely<Tables>(url: string, options: MysqlOptions = {}): Kysely<Tables> {
  const pool = openPool(url, options);
  const limitedPool = {
    getConnection: (callback: (error: unknown, connection: never) => void) =>
      pool.getConnection((error, connection) =>
        callback(error, connection && (limited(connection) as never)),
      ),
    end: (callback: (error: unknown) => void) => pool.end(callback),
  };
  return new Kysely<Tables>({ dialect: new MysqlDialect({ pool: limitedPool }) });
}

/** Whether an insert failed because its key is taken. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY';
}

/** Whether the database could not be reached, or gave up on a lock, rather than refused what was asked. */
export function isDatabaseAway(error: unknown): boolean {
  const code = codeOf(error);
  return /^(E[A-Z]+|PROTOCOL_\w+|ER_(LOCK_WAIT_TIMEOUT|LOCK_DEADLOCK|SERVER_SHUTDOWN|CON_COUNT_ERROR))$/.test(
    code,
  );
}

type Callback = (error: QueryError | null, result: unknown) => void;

/** A connection whose statements end in time: what has not answered by then is cut off, and so rolled back. */
function limited(connection: PoolConnection): object {
  return {
    query: (sql: string, values: readonly unknown[], callback: Callback) =>
      connection.query({ sql, timeout: STATEMENT_MS, values: [...values] }, (error, result) => {
        if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') connection.destroy();
        callback(error, result);
      }),
    release: () => connection.release(),
  };
}

/**
 * Opens a pool whose sessions have the SQL mode and the collation that Keypad's statements rely on. No connection is made
 * before the first query.
 */
export function openPool(url: string, { connections = 10, isolation }: MysqlOptions): Pool {
  const pool = createPool({
    uri: url,
    connectionLimit: connections,
    queueLimit: 1000,
    connectTimeout: 3000,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    supportBigNumbers: true,
    multipleStatements: false,
  });
  // Values are escaped with backslashes, so a server set to take those literally must not do so here.
  const settings = ["set session sql_mode = 'STRICT_TRANS_TABLES', innodb_lock_wait_timeout = 4"];
  if (isolation !== undefined) settings.push(`set session transaction isolation level ${isolation}`);
  pool.on('connection', (connection) => {
    for (const setting of settings) {
      connection.query(setting, (error: unknown) => error && connection.destroy());
    }
  });
  return pool;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
