import { type Kysely, type Migration, Migrator, type RawBuilder, sql } from 'kysely';
import { ConfigError } from '../errors.ts';

/** Options of every table: texts are compared byte for byte. */
export const TABLE_OPTIONS = sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`;

/** The column type of ids and digests: `length` ASCII characters, compared byte for byte. */
export function asciiChar(length: number): RawBuilder<unknown> {
  return sql`char(${sql.lit(length)}) character set ascii collate ascii_bin`;
}

/** A step that runs these statements. MySQL cannot roll back a table: each must be repeatable after a crash. */
export function statements(...all: readonly RawBuilder<unknown>[]): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const statement of all) await statement.execute(db);
    },
  };
}

/** What brings one role's database up to date. */
export interface Migrations {
  /** Steps by name, run in the order of their names, each once. */
  readonly steps: Readonly<Record<string, Migration>>;
  /** The table that records which steps have run; each role has its own, since two may share a database. */
  readonly table: string;
  /** The setting that names the database, for the problem. */
  readonly setting: string;
}

/**
 * Brings a database to the form that this version needs. Any number of replicas may do so at once: kysely holds a
 * MySQL lock meanwhile. Throws a ConfigError.
 */
export async function migrate<T>(db: Kysely<T>, { steps, table, setting }: Migrations): Promise<void> {
  const provider = { getMigrations: async () => steps };
  const tables = { migrationTableName: table, migrationLockTableName: `${table}_lock` };
  const { error } = await new Migrator({ db, provider, ...tables }).migrateToLatest();
  if (error === undefined) return;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ConfigError([
    `${setting}: the database cannot be prepared (${reason}); is it up, and may this account create tables?`,
  ]);
}
