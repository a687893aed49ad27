import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { ConfigError } from '../errors.ts';
import type { Database } from './database.ts';

/** Texts are compared byte for byte. */
const OPTIONS = sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`;
const UUID = sql`char(36) character set ascii collate ascii_bin`;
const MAC = sql`char(64) character set ascii collate ascii_bin`;

/** MySQL cannot roll back a table: each statement can be repeated, so that a crash in the middle heals itself. */
const first: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table if not exists operations (
        id ${UUID} primary key,
        user varchar(64) not null,
        operation varchar(100) not null,
        unit varchar(64) not null,
        target varchar(600) not null,
        input mediumtext not null,
        \`lines\` mediumtext not null,
        risk varchar(8) not null,
        code char(4),
        hash varchar(64) not null,
        version varchar(255) not null,
        before_value mediumtext not null,
        after_value mediumtext not null,
        state varchar(16) not null,
        tries int not null default 0,
        created_at bigint not null,
        expires_at bigint not null,
        started_at bigint,
        finished_at bigint,
        lease_owner ${UUID},
        lease_until bigint,
        text text,
        told tinyint not null default 0,
        tell_after bigint,
        lent_until bigint,
        lent_to ${UUID},
        key operations_running (state, lease_until),
        key operations_untold (told, tell_after)
      ) ${OPTIONS}`,
      sql`create table if not exists audit (
        seq bigint primary key,
        at bigint not null,
        user varchar(64) not null,
        operation varchar(200) not null,
        unit varchar(64) not null,
        target varchar(600) not null,
        input mediumtext not null,
        before_value mediumtext not null,
        after_value mediumtext not null,
        hash varchar(64) not null,
        jti varchar(36) not null,
        source varchar(64) not null,
        ms int not null,
        outcome varchar(16) not null,
        reason varchar(600) not null,
        mac ${MAC} not null,
        key audit_by_time (at),
        key audit_by_user (user, at)
      ) ${OPTIONS}`,
      sql`create table if not exists audit_head (id int primary key, seq bigint not null, mac ${MAC} not null) ${OPTIONS}`,
      sql`insert ignore into audit_head (id, seq, mac) values (1, 0, repeat('0', 64))`,
      sql`create table if not exists seen_tokens (
        jti ${UUID} primary key,
        expires_at bigint not null,
        key seen_tokens_by_end (expires_at)
      ) ${OPTIONS}`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};

/**
 * Brings the database to the form that this version needs. Any number of replicas may do so at once: kysely holds a
 * MySQL lock meanwhile. Throws a ConfigError.
 */
export async function migrate(db: Database): Promise<void> {
  const provider = { getMigrations: async () => ({ '2026-11-first': first }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error === undefined) return;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ConfigError([
    `MYSQL_URL: the database cannot be prepared (${reason}); is it up, and may this account create tables?`,
  ]);
}
