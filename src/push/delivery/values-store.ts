import { type RawBuilder, sql } from 'kysely';

type Value = string | number | null;

/** Rows as a table of a statement, so that one statement can change many rows to different values. */
export function table(columns: readonly string[], rows: readonly (readonly Value[])[]): RawBuilder<unknown> {
  const first = rows[0]?.map((value, index) => sql`${value} ${sql.id(columns[index] ?? '')}`) ?? [];
  const rest = rows.slice(1).map((row) => sql`select ${sql.join([...row])}`);
  return sql`(${sql.join([sql`select ${sql.join(first)}`, ...rest], sql` union all `)})`;
}

/** Cuts a list into parts that one statement may hold. */
export function parts<Row>(rows: readonly Row[], size = 500): readonly (readonly Row[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
