import { type Migration, type RawBuilder, sql } from 'kysely';
import { statements, TABLE_OPTIONS } from '../../server/migrations.ts';

type Columns = Readonly<Record<string, RawBuilder<unknown>>>;

/** A table: its columns, each as SQL declares it and with the type that rows have there, and its keys. */
interface Table<Declared extends Columns = Columns> {
  readonly columns: Declared;
  readonly keys: readonly RawBuilder<unknown>[];
}

/** Declares a table; columns that are not `not null` have a type with null. */
export function table<Declared extends Columns>(
  columns: Declared,
  ...keys: readonly RawBuilder<unknown>[]
): Table<Declared> {
  return { columns, keys };
}

type ValueOf<Column> = Column extends RawBuilder<infer Value> ? Value : never;

/** The rows of tables, as kysely takes them. */
export type RowsOf<Tables extends Readonly<Record<string, Table>>> = {
  [Name in keyof Tables]: {
    [Column in keyof Tables[Name]['columns']]: ValueOf<Tables[Name]['columns'][Column]>;
  };
};

/** The step that makes those of these tables that are not there, in the form of this version. */
export function createTables(tables: Readonly<Record<string, Table>>): Migration {
  const all = Object.entries(tables).map(([name, { columns, keys }]) => {
    const declared = Object.entries(columns).map(([column, type]) => sql`${sql.id(column)} ${type}`);
    return sql`create table if not exists ${sql.id(name)} (${sql.join([...declared, ...keys])}) ${TABLE_OPTIONS}`;
  });
  return statements(...all);
}
