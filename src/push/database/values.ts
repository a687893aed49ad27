import { type Insertable, type RawBuilder, sql } from 'kysely';
import type { Tables, Tx } from './database.ts';

/** Types of the columns of {@link table}: text has the collation of what it is compared with, so that an index serves. */
const types = {
  bigint: 'bigint',
  int: 'int',
  varchar: 'varchar(1000) collate utf8mb4_bin',
  text: 'text collate utf8mb4_bin',
} as const;

/**
 * Rows as a table of a statement, so that one statement can change many rows to different values. They travel as one value
 * of JSON, which costs a tenth of an expression for each. An UPDATE that joins it names its rows in WHERE as well: MySQL
 * would read a small table whole, and lock what it reads.
 */
export function table<Column extends string>(
  columns: Readonly<Record<Column, keyof typeof types>>,
  rows: readonly Readonly<Record<Column, string | number | null>>[],
): RawBuilder<unknown> {
  // What is left out is NULL; a null of JSON would not be on all servers.
  const json = JSON.stringify(rows, (_, value) =>
    // Half a character, where a text was cut, is no JSON to a server.
    typeof value === 'string' ? value.toWellFormed() : (value ?? undefined),
  );
  const named = Object.entries<keyof typeof types>(columns).map(
    ([column, type]) =>
      sql`${sql.id(column)} ${sql.raw(types[type])} path ${sql.lit(`$.${column}`)} error on error`,
  );
  return sql`json_table(${json}, '$[*]' columns (${sql.join(named)}))`;
}

/**
 * Writes rows, all with the columns of the first. The driver takes them as they are: an expression for each value costs
 * more than the rest of the statement.
 */
export async function insertRows<Name extends keyof Tables>(
  tx: Tx,
  name: Name,
  rows: readonly Insertable<Tables[Name]>[],
  { onDuplicate = sql`` }: { readonly onDuplicate?: RawBuilder<unknown> } = {},
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Insertable<Tables[Name]>)[];
  for (const some of parts(rows)) {
    const values = some.map((row) => columns.map((column) => row[column]));
    await sql`insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.id(`${String(column)}`)))})
      values ${values} ${onDuplicate}`.execute(tx);
  }
}

/** Cuts a list into parts that one statement may hold. */
export function parts<Row>(rows: readonly Row[], size = 500): readonly (readonly Row[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
