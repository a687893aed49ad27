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
 * What is wrong with a server that calls itself `version`, when it is older than what Keypad's statements need (SKIP LOCKED above all).
 * MariaDB's name stands in its version, before which a proxy may put the `5.5.5-` of old replication clients.
 */
export function versionProblem(version: string): string | undefined {
  const isMariaDb = /mariadb/i.test(version);
  const [, major, minor] = /^(?:5\.5\.5-(?=\d))?(\d+)\.(\d+)/.exec(version) ?? [];
  const number = Number(major) * 1000 + Number(minor);
  if (number >= (isMariaDb ? 10_006 : 8000)) return undefined;
  const found = isMariaDb ? version : `MySQL ${version}`;
  return `the server is ${found}, but Keypad needs MySQL 8.0 or MariaDB 10.6, or a later version of either`;
}

/**
 * Brings a database to the form that this version needs. Any number of replicas may do so at once: a lock of
 * this database is held meanwhile. A server that is too old is left as it is. Throws a ConfigError.
 */
export async function migrate<T>(db: Kysely<T>, { steps, table, setting }: Migrations): Promise<void> {
  const provider = { getMigrations: async () => steps };
  const tables = { migrationTableName: table, migrationLockTableName: `${table}_lock` };
  try {
    const { rows } = await sql<{ readonly version: string }>`select version() as version`.execute(db);
    const problem = versionProblem(rows[0]?.version ?? '');
    if (problem !== undefined) throw new ConfigError([`${setting}: ${problem}.`]);
    const { error } = await new Migrator({ db, provider, ...tables }).migrateToLatest();
    if (error !== undefined) throw error;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `${setting}: the database cannot be prepared (${reason}); is it up, and may this account create tables?`,
    ]);
  }
}
