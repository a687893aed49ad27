import { type RawBuilder, sql } from 'kysely';

type Value = string | number | null;

/** Rows as a table of a statement, so that one statement can change many rows to different values. */
export function table(rows: readonly Readonly<Record<string, Value>>[]): RawBuilder<unknown> {
  const columns = Object.keys(rows[0] ?? {});
  const [first = {}, ...rest] = rows;
  const named = columns.map((column) => sql`${first[column] ?? null} ${sql.id(column)}`);
  const values = rest.map((row) => sql`select ${sql.join(columns.map((column) => row[column] ?? null))}`);
  return sql`(${sql.join([sql`select ${sql.join(named)}`, ...values], sql` union all `)})`;
}

/** Cuts a list into parts that one statement may hold. */
export function parts<Row>(rows: readonly Row[], size = 500): readonly (readonly Row[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
