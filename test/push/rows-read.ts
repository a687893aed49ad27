import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../src/push/database/database.ts';

// What a statement costs is told by the rows that it reads, on MariaDB and on MySQL, whatever the machine does.

/** By how much a filled table may differ: a page of an index begins here or there. */
export const SLACK = 40;

/** How many rows are read by what is done on one connection. */
export function rowsRead<T>(
  db: Database,
  work: (connection: Database) => Promise<T>,
): Promise<{ readonly rows: number; readonly value: T }> {
  return db.connection().execute(async (connection) => {
    const all = async (): Promise<number> => {
      // What an index alone rules out is counted apart, by MariaDB only.
      const { rows } = await sql<{ Value: string }>`show session status
        where variable_name like 'Handler_read%' or variable_name = 'Handler_icp_attempts'`.execute(
        connection,
      );
      return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await all();
    const value = await work(connection);
    return { rows: (await all()) - before, value };
  });
}

const digits = sql.join(
  Array.from({ length: 10 }, (_, i) => sql`select ${sql.lit(i)} i`),
  sql` union all `,
);

/** A table of `count` numbers `n`, at most 100,000, that begin with `from`. */
export function numbers(from: number, count: number): RawBuilder<unknown> {
  return sql`(select ${from} + i n from (select a.i + 10 * b.i + 100 * c.i + 1000 * d.i + 10000 * e.i i
    from (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d, (${digits}) e) all_of_them
    where i < ${count}) n`;
}
