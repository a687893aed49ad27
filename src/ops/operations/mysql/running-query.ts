import { hash } from 'node:crypto';
import { mayHaveArrived } from '../../../errors.ts';
import { codeOf } from '../../../server/mysql-errors.ts';
import type { MysqlServer } from '../../database.ts';
import { TargetFailed } from '../../target-failed.ts';

/** A statement that a server is working on. */
export type RunningQuery = ReturnType<typeof queryOf>;

/** MariaDB numbers every query and runs what stands in the `M!` comment; MySQL skips that. */
const LIST = `
  select ID as id, /*M! QUERY_ID as query_id, */ USER as user, DB as db, TIME as seconds, INFO as text, COMMAND as command
  from information_schema.PROCESSLIST
  where ID <> connection_id() and INFO is not null and INFO not like '%information_schema.PROCESSLIST%'
    and COMMAND not in ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID')
    and USER not in ('system user', 'event_scheduler')`;

/** All running statements but those of this list itself, longest first, 200 at most. Throws TargetFailed. */
export async function listQueries(server: MysqlServer): Promise<readonly RunningQuery[]> {
  const rows = await server.rows(`${LIST} order by TIME desc, ID limit 200`).catch(fail);
  return rows.map(queryOf);
}

/** The statement with that fingerprint on that connection; undefined when it has ended. Throws TargetFailed. */
export async function findQuery(
  server: Pick<MysqlServer, 'rows'>,
  id: string,
  fingerprint: string,
): Promise<RunningQuery | undefined> {
  const rows = await server.rows(`${LIST} and ID = ?`, [id]).catch(fail);
  return rows.map(queryOf).find((query) => query.fingerprint === fingerprint);
}

/**
 * Tells the server to end that statement; the connection stays. Answers false when the statement is no longer there.
 * MariaDB ends it by its own number. MySQL can only be told the connection, so it is looked at right before.
 */
export async function killQuery(
  server: Pick<MysqlServer, 'rows'>,
  { id, query: fingerprint }: { readonly id: string; readonly query: string },
  checkTime: () => void,
): Promise<boolean> {
  const numbered = /^q:(\d+)$/.exec(fingerprint)?.[1];
  const [clock] = await server.rows(`select unix_timestamp(now(6)) + ${GOOD_FOR} as until`).catch(fail);
  if (numbered === undefined && (await findQuery(server, id, fingerprint)) === undefined) return false;
  checkTime();
  // A kill that is delayed on its way would meet whatever runs then: past its time it names nothing.
  const inTime = (target: number) => `if(unix_timestamp(now(6)) < ${Number(clock?.until)}, ${target}, 0)`;
  const statement =
    numbered === undefined ? `kill query ${inTime(Number(id))}` : `kill query id ${inTime(Number(numbered))}`;
  return server.rows(statement).then(
    () => true,
    (error: unknown) => (isNoSuchQuery(error) ? false : fail(error)),
  );
}

/** `fingerprint` names this very statement, not just its connection. */
function queryOf(row: Readonly<Record<string, unknown>>) {
  const sql = String(row.text);
  const user = String(row.user);
  const database = String(row.db ?? '');
  const digest = hash('sha256', JSON.stringify([user, database, sql])).slice(0, 32);
  return {
    id: String(row.id),
    fingerprint: row.query_id === undefined ? `d:${digest}` : `q:${row.query_id}`,
    user,
    database,
    seconds: Number(row.seconds ?? 0),
    sql: [...sql.replace(/\s+/g, ' ').trim()].slice(0, 200).join(''),
    /** It was told to end, and is cleaning up. */
    ending: row.command === 'Killed',
  };
}

/** For how many seconds of the server's own clock a kill means anything; see `apply` in operation.ts. */
const GOOD_FOR = 10;

/** Words an error of the server for a person. */
function fail(cause: unknown): never {
  const refusedCodes = /^ER_(ACCESS_DENIED|DBACCESS_DENIED|SPECIFIC_ACCESS_DENIED|KILL_DENIED)/;
  const isDenied = refusedCodes.test(codeOf(cause));
  const sentence = isDenied ? '数据库不允许 Keypad 的账号这样做' : '数据库连不上，请稍后再试';
  throw new TargetFailed(sentence, { mayHaveHappened: !isDenied && mayHaveArrived(cause), cause });
}

function isNoSuchQuery(error: unknown): boolean {
  return /^(ER_NO_SUCH_THREAD|1957)$/.test(codeOf(error));
}
