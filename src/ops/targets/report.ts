import { CompiledQuery, type Kysely, sql } from 'kysely';
import { openKysely } from '../../server/database.ts';

/** A query that only looks. */
export interface Report {
  /** Undefined for the one that the address of the server names. */
  readonly database: string | undefined;
  /** `?` stands for a value. */
  readonly statement: string;
  readonly values: readonly string[];
  /** So many rows are read at most. */
  readonly rows: number;
  /** For so long the server works on it. */
  readonly seconds: number;
}

/** Reports on the databases of one server, each over connections of its own; none is made before the first. */
export function openReports(url: string) {
  const open = new Map<string, Kysely<unknown>>();
  const databaseAt = (name = ''): Kysely<unknown> => {
    const address = new URL(url);
    if (name !== '') address.pathname = `/${name}`;
    // The server gives up by itself after `seconds`; if it does not answer that either, it is gone.
    const database = open.get(name) ?? openKysely(address.href, { connections: 2, statementMs: 15_000 });
    open.set(name, database);
    return database;
  };
  return {
    /** The rows, in a transaction that cannot write. Throws the errors of mysql2. */
    run: ({ database, statement, values, rows, seconds }: Report) =>
      databaseAt(database)
        .connection()
        .execute(async (connection) => {
          const { rows: versions } = await sql<{ version: string }>`select version() as version`.execute(
            connection,
          );
          const limit = /mariadb/i.test(versions[0]?.version ?? '')
            ? sql`max_statement_time = ${seconds}`
            : sql`max_execution_time = ${seconds * 1000}`;
          await sql`set session ${limit}, sql_select_limit = ${rows}`.execute(connection);
          await sql`start transaction read only`.execute(connection);
          try {
            const query = CompiledQuery.raw(statement, [...values]);
            return (await connection.executeQuery<Readonly<Record<string, unknown>>>(query)).rows;
          } finally {
            await sql`rollback`.execute(connection);
          }
        }),
    close: async (): Promise<void> =>
      void (await Promise.all([...open.values()].map((each) => each.destroy()))),
  };
}
