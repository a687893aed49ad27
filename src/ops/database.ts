import { Kysely, MysqlDialect } from 'kysely';
import { createPool, type Pool, type PoolConnection, type QueryError } from 'mysql2';

/** How far an operation is. Only `previewed` rows can still be started, and each at most once. */
export type OperationState =
  | 'previewed' // shown to the user, nothing has happened
  | 'started' // confirmed; whether it has had its effect is not known yet
  | 'applied' // it had its effect; how that ends is being watched
  | 'done'
  | 'failed'
  | 'unknown'
  | 'cancelled'; // it has not happened and never will

/** One change, from its preview to its end. Times are Unix milliseconds; `input`, `lines` and `before_value` are JSON. */
export interface OperationTable {
  id: string;
  user: string;
  operation: string;
  unit: string;
  target: string;
  input: string;
  lines: string;
  risk: string;
  code: string | null;
  hash: string;
  version: string;
  before_value: string;
  after_value: string;
  state: OperationState;
  tries: number;
  created_at: number;
  expires_at: number;
  started_at: number | null;
  finished_at: number | null;
  lease_owner: string | null;
  lease_until: number | null;
  text: string | null;
  told: number;
  tell_after: number | null;
  lent_until: number | null;
  lent_to: string | null;
}

/** One row of the audit; `mac` chains it to the row before (audit-chain.ts). */
export interface AuditTable {
  seq: number;
  at: number;
  user: string;
  operation: string;
  unit: string;
  target: string;
  input: string;
  before_value: string;
  after_value: string;
  hash: string;
  jti: string;
  source: string;
  ms: number;
  outcome: string;
  reason: string;
  mac: string;
}

/** The one row that says where the chain ends. */
export interface AuditHeadTable {
  id: number;
  seq: number;
  mac: string;
}

/** Tokens that were used, kept a while past their end. */
export interface SeenTokenTable {
  jti: string;
  expires_at: number;
}

export interface Tables {
  operations: OperationTable;
  audit: AuditTable;
  audit_head: AuditHeadTable;
  seen_tokens: SeenTokenTable;
}

/** The platform's own database. */
export type Database = Kysely<Tables>;

/** A database that does not answer within this is away; milliseconds. */
const PATIENCE_MS = 5000;

/** Opens the platform's database; no connection is made before the first query. The URL is never logged. */
export function openDatabase(url: string): Database {
  const pool = openPool(url, 10);
  const impatient = {
    getConnection: (callback: (error: unknown, connection: never) => void) =>
      pool.getConnection((error, connection) =>
        callback(error, connection && (limited(connection) as never)),
      ),
    end: (callback: (error: unknown) => void) => pool.end(callback),
  };
  return new Kysely<Tables>({ dialect: new MysqlDialect({ pool: impatient }) });
}

/** A MySQL server that operations look at and act on. */
export interface MysqlServer {
  /** Runs one statement, for 3 s at most; `?` stands for a value. */
  rows(statement: string, values?: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** Opens a target server; no connection is made before the first statement. */
export function openMysqlServer(url: string): MysqlServer {
  const pool = openPool(url, 2);
  return {
    rows: (sql, values = []) =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => {
          if (error) return reject(error);
          connection.query({ sql, timeout: 3000, values: [...values] }, (failure, rows) => {
            // A statement that outlived its time still holds the connection.
            if (failure?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') connection.destroy();
            else connection.release();
            if (failure) reject(failure);
            else resolve(Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []);
          });
        });
      }),
    close: () => pool.promise().end(),
  };
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
      connection.query({ sql, timeout: PATIENCE_MS, values: [...values] }, (error, result) => {
        if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') connection.destroy();
        callback(error, result);
      }),
    release: () => connection.release(),
  };
}

function openPool(url: string, connectionLimit: number): Pool {
  const pool = createPool({
    uri: url,
    connectionLimit,
    queueLimit: 1000,
    connectTimeout: 3000,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    supportBigNumbers: true,
    multipleStatements: false,
  });
  // Values are escaped with backslashes, so a server set to take those literally must not do so here.
  pool.on('connection', (connection) => {
    connection.query(
      "set session sql_mode = 'STRICT_TRANS_TABLES', innodb_lock_wait_timeout = 4",
      (error: unknown) => error && connection.destroy(),
    );
  });
  return pool;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
