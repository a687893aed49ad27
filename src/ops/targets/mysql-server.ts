import { CompiledQuery } from 'kysely';
import { mayHaveArrived } from '../../errors.ts';
import { openKysely } from '../../server/database.ts';
import { codeOf } from '../../server/mysql-errors.ts';
import { TargetFailed } from '../target-failed.ts';
import { openReports } from './report.ts';

/** A MySQL server that operations look at and act on. */
export type MysqlServer = ReturnType<typeof openMysqlServer>;

/** Where a target server is, and what it is called. */
export interface MysqlServerParts {
  /** The instance, as the policy names it; it stands in the sentences for users. */
  readonly name: string;
  readonly url: string;
  /** Hears why the server did not do what it was asked; for the log. */
  onFailure(error: Error): void;
}

const DENIED = /^ER_(ACCESS_DENIED|DBACCESS_DENIED|SPECIFIC_ACCESS_DENIED|KILL_DENIED)/;

/** The server gave up on a statement: MariaDB's max_statement_time, MySQL's max_execution_time. */
const TOO_SLOW = /^(ER_STATEMENT_TIMEOUT|ER_QUERY_TIMEOUT|1969|3024)$/;

/** Opens a target server; no connection is made before the first statement. */
export function openMysqlServer({ name, url, onFailure }: MysqlServerParts) {
  const server = openKysely<unknown>(url, { connections: 2, statementMs: 3000 });
  const reports = openReports(url);
  return {
    name,
    /** Runs one statement, for 3 s at most; `?` stands for a value. Throws the errors of mysql2: see `codeOf`, and `failed`. */
    async rows(statement: string, values: readonly string[] = []) {
      const query = CompiledQuery.raw(statement, [...values]);
      return (await server.executeQuery<Readonly<Record<string, unknown>>>(query)).rows;
    },
    /** Runs a query that only looks, in a database of the server; throws as `rows` does. */
    report: reports.run,
    /** Words an error of the server for a person, who reads which server it was: throws it as TargetFailed. */
    failed(cause: unknown): never {
      const isDenied = DENIED.test(codeOf(cause));
      const isSlow = TOO_SLOW.test(codeOf(cause));
      const failed = isSlow ? '超过了时限，没有结果' : '连不上，请稍后再试';
      const sentence = isDenied ? '不允许 Keypad 的账号这样做' : failed;
      const options = { mayHaveHappened: !isDenied && mayHaveArrived(cause), cause };
      const error = new TargetFailed(`数据库 ${name} ${sentence}`, options);
      onFailure(error);
      throw error;
    },
    close: async (): Promise<void> => void (await Promise.all([server.destroy(), reports.close()])),
  };
}
