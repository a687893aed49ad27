import { hash } from 'node:crypto';
import * as z from 'zod';
import { codeOf, cutShort, type MysqlServer, type Unread } from '#operations';
import { hideStatementSecrets } from './_statement-secrets.ts';

/** What names a running query in an input: the connection, and the fingerprint of the query that was shown. */
export const runningQuery = {
  id: z.string().regex(/^\d{1,20}$/),
  query: z.string().regex(/^[\w:]{1,80}$/),
};

/** What is asked of a server here. */
type AskedServer = Pick<MysqlServer, 'rows' | 'failed'>;

/** A statement that a server is working on. */
export type RunningQuery = ReturnType<typeof queryOf>;

/** What both servers are asked: never for this list itself, and not for what runs always. Texts may be as long as a packet. */
const OTHERS = `where p.ID <> connection_id() and p.INFO is not null
  and p.COMMAND not in ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID') and p.USER not in ('system user', 'event_scheduler')`;
const COLUMNS =
  'p.ID as id, p.USER as user, p.DB as db, p.TIME as seconds, p.COMMAND as command, unix_timestamp() as now';
const TEXT = 'left(p.INFO, 4000) as text';

/** MariaDB numbers every query. Its list is in utf8mb3: the bytes alone have every character. */
const MARIADB = `select ${COLUMNS}, left(p.INFO_BINARY, 16000) as text, p.QUERY_ID as run
  from information_schema.PROCESSLIST p ${OTHERS}`;

/**
 * MySQL numbers the events of a thread. The old list fails as a whole when one statement has a character that utf8mb3 has
 * not, so it is the last to be asked: the first serves from 8.0.22 on whom the events may be shown to.
 */
const MYSQL = [
  `select ${COLUMNS}, ${TEXT}, concat(t.THREAD_ID, ':', e.EVENT_ID) as run
    from performance_schema.processlist p
    left join performance_schema.threads t on t.PROCESSLIST_ID = p.ID
    left join performance_schema.events_statements_current e on e.THREAD_ID = t.THREAD_ID and e.NESTING_EVENT_LEVEL = 0 ${OTHERS}`,
  `select ${COLUMNS}, ${TEXT} from performance_schema.processlist p ${OTHERS}`,
  `select ${COLUMNS}, ${TEXT} from information_schema.PROCESSLIST p ${OTHERS}`,
];

/** By so many seconds the start of a statement may seem to move: the server counts in whole ones. */
const START_MOVES = 2;

const MOST_LISTED = 200;

/** All running statements but those of this list itself, longest first, 200 at most. Throws TargetFailed. */
export async function listQueries(server: AskedServer): Promise<readonly RunningQuery[] & Unread> {
  const queries = await read(server, `order by p.TIME desc, p.ID limit ${MOST_LISTED}`, []);
  return queries.length < MOST_LISTED ? queries : cutShort(queries, '运行最久的');
}

/** The run of a statement with that fingerprint on that connection; undefined when it has ended. Throws TargetFailed. */
export async function findQuery(
  server: AskedServer,
  id: string,
  fingerprint: string,
): Promise<RunningQuery | undefined> {
  const found = await read(server, 'and p.ID = ?', [id]);
  return found.find((query) => isSameRun(query.fingerprint, fingerprint));
}

/**
 * Tells the server to end that run of a statement; the connection stays. Answers false when it is no longer there.
 * MariaDB ends it by its own number. MySQL can only be told the connection, so it is looked at right before.
 */
export async function killQuery(
  server: AskedServer,
  { id, query: fingerprint }: { readonly id: string; readonly query: string },
  checkTime: () => void,
): Promise<boolean> {
  const numbered = /^q:(\d+)$/.exec(fingerprint)?.[1];
  const [clock] = await server
    .rows(`select unix_timestamp(now(6)) + ${GOOD_FOR} as until`)
    .catch(server.failed);
  if (numbered === undefined && (await findQuery(server, id, fingerprint)) === undefined) return false;
  checkTime();
  // A kill that is delayed on its way would meet whatever runs then: past its time it names nothing.
  const inTime = (target: string, nobody: string) =>
    `if(unix_timestamp(now(6)) < ${Number(clock?.until)}, ${Number(target)}, ${nobody})`;
  // A connection that has asked nothing yet has the query number 0; no connection has the number 0.
  const statement =
    numbered === undefined
      ? `kill query ${inTime(id, '0')}`
      : `kill query id ${inTime(numbered, '9223372036854775807')}`;
  return server.rows(statement).then(
    () => true,
    (error: unknown) => (isNoSuchQuery(error) ? false : server.failed(error)),
  );
}

async function read(server: AskedServer, rest: string, values: readonly string[]) {
  const [{ version } = {}] = await server.rows('select version() as version').catch(server.failed);
  if (/mariadb/i.test(String(version))) {
    const rows = await server.rows(`${MARIADB} ${rest}`, values).catch(server.failed);
    return rows.map((row) => queryOf(row, 'q'));
  }
  for (const [index, statement] of MYSQL.entries()) {
    try {
      return (await server.rows(`${statement} ${rest}`, values)).map((row) => queryOf(row, 'e'));
    } catch (error) {
      if (index === MYSQL.length - 1 || !isNotForUs(error)) server.failed(error);
    }
  }
  return [];
}

/** `fingerprint` names this very run of the statement, not just its connection or its text. */
function queryOf(row: Readonly<Record<string, unknown>>, kind: 'q' | 'e') {
  const sql = hideStatementSecrets(String(row.text));
  const user = String(row.user);
  const database = String(row.db ?? '');
  // A session may have set its own time: then it counts from 1970, or from a day that has not come.
  const time = Number(row.seconds);
  const digest = hash('sha256', JSON.stringify([user, database, sql])).slice(0, 32);
  return {
    id: String(row.id),
    fingerprint: row.run ? `${kind}:${row.run}` : `d:${digest}:${Number(row.now) - time}`,
    user,
    database,
    seconds: Number.isSafeInteger(time) ? Math.max(time, 0) : 0,
    sql: [...sql.replace(/\s+/g, ' ').trim()].slice(0, 200).join(''),
    /** It was told to end, and is cleaning up. */
    ending: row.command === 'Killed',
  };
}

/** For how many seconds of the server's own clock a kill means anything; see `apply` in operation.ts. */
const GOOD_FOR = 10;

/** Whether two fingerprints name one run: where the server numbers none, a text that began at the same time. */
function isSameRun(one: string, other: string): boolean {
  const [[kind, digest, start], [, , otherStart]] = [one.split(':'), other.split(':')];
  if (kind !== 'd') return one === other;
  return other.startsWith(`d:${digest}:`) && Math.abs(Number(start) - Number(otherStart)) <= START_MOVES;
}

function isNoSuchQuery(error: unknown): boolean {
  return /^(ER_NO_SUCH_THREAD|1957)$/.test(codeOf(error));
}

/** Whether the server has no such table, or does not let us read it. */
function isNotForUs(error: unknown): boolean {
  return /^ER_(NO_SUCH_TABLE|TABLEACCESS_DENIED_ERROR|DBACCESS_DENIED_ERROR|BAD_DB_ERROR|BAD_FIELD_ERROR|UNKNOWN_TABLE)$/.test(
    codeOf(error),
  );
}
