import { type Insertable, type RawBuilder, sql } from 'kysely';
import type { Database, Tables, Tx } from './database.ts';

/** Types of the columns of {@link valuesTable}: text has the collation of what it is compared with, so that an index serves. */
const types = {
  bigint: 'bigint',
  int: 'int',
  varchar: 'varchar(1000) collate utf8mb4_bin',
  text: 'text collate utf8mb4_bin',
} as const;

type ColumnTypes<Column extends string> = Readonly<Record<Column, keyof typeof types>>;
type Values<Column extends string> = Readonly<Record<Column, string | number | null>>;

/** The most that one statement holds: rows, and characters, far from any server's limit of a packet. */
const ROWS = 500;
const CHARACTERS = 1_000_000;

/**
 * Rows as a table of a statement. They travel as one value of JSON, which costs a tenth of an expression for each.
 */
export function valuesTable<Column extends string>(
  columns: ColumnTypes<Column>,
  rows: readonly Values<Column>[],
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
 * Sets these columns of many rows to different values; each row is found by the first of them. Resolves to how many were
 * there. The rows are named in WHERE as well: MySQL would read a small table whole, and lock what it reads.
 */
export async function updateRows<Column extends string>(
  tx: Tx,
  name: keyof Tables,
  columns: ColumnTypes<Column>,
  rows: readonly Values<Column>[],
): Promise<number> {
  const [key, ...changed] = Object.keys(columns) as [Column, ...Column[]];
  const id = sql.id(key);
  const set = sql.join(changed.map((column) => sql`t.${sql.id(column)} = v.${sql.id(column)}`));
  let updated = 0;
  for (const some of parts(rows)) {
    const { numAffectedRows } = await sql`
      update ${valuesTable(columns, some)} v straight_join ${sql.table(name)} t on t.${id} = v.${id} set ${set}
      where t.${id} in (${some.map((row) => row[key])})`.execute(tx);
    updated += Number(numAffectedRows);
  }
  return updated;
}

/**
 * Writes rows, all with the columns of the first. The driver takes them as they are: an expression for each value costs
 * more than the rest of the statement.
 */
export async function insertRows<Name extends keyof Tables>(
  tx: Tx,
  name: Name,
  rows: readonly Insertable<Tables[Name]>[],
  onDuplicate = sql``,
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Insertable<Tables[Name]>)[];
  const names = sql.join(columns.map((column) => sql.id(`${String(column)}`)));
  const lists = rows.map((row) => columns.map((column) => row[column]));
  for (const some of parts(lists)) {
    await sql`insert into ${sql.table(name)} (${names}) values ${some} ${onDuplicate}`.execute(tx);
  }
}

/** Runs a statement for each part of a list that one can hold; resolves to the rows of all. */
export async function inParts<Of, Row>(
  db: Database | Tx,
  list: readonly Of[],
  statement: (some: readonly Of[]) => RawBuilder<Row>,
): Promise<readonly Row[]> {
  const all: Row[] = [];
  for (const some of parts(list)) all.push(...(await statement(some).execute(db)).rows);
  return all;
}

/** Cuts a list into parts that one statement may hold, in order. */
function* parts<Row>(rows: readonly Row[]): Iterable<readonly Row[]> {
  let from = 0;
  let characters = 0;
  for (const [index, row] of rows.entries()) {
    characters += charactersOf(row);
    if (index + 1 - from < ROWS && characters < CHARACTERS) continue;
    yield rows.slice(from, index + 1);
    [from, characters] = [index + 1, 0];
  }
  if (from < rows.length) yield rows.slice(from);
}

function charactersOf(row: unknown): number {
  if (typeof row === 'string') return row.length;
  if (typeof row !== 'object' || row === null) return 8;
  return Object.values(row).reduce((sum: number, value) => sum + charactersOf(value), 0);
}
