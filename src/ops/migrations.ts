import { type Kysely, sql } from 'kysely';
import { PRINCIPAL_LENGTH } from '../contract/principal.ts';
import { ConfigError } from '../errors.ts';
import {
  asciiChar,
  migrate as migrateTo,
  TABLE_OPTIONS as OPTIONS,
  statements,
} from '../server/migrations.ts';
import type { Records, SealedMessage, SealedOperation } from './records.ts';

const UUID = asciiChar(36);
const MAC = asciiChar(64);

const first = statements(
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
);

/** A user is a principal (principal.ts), which is longer than a userid. */
const principals = statements(
  sql`alter table operations modify user varchar(${sql.lit(PRINCIPAL_LENGTH)}) not null`,
  sql`alter table audit modify user varchar(${sql.lit(PRINCIPAL_LENGTH)}) not null`,
);

const outbox = statements(
  sql`create table if not exists outbox (
        seq bigint auto_increment primary key,
        id varchar(64) character set ascii collate ascii_bin not null,
        user varchar(${sql.lit(PRINCIPAL_LENGTH)}) not null,
        text text not null,
        state varchar(16) not null,
        due_at bigint not null,
        tries int not null,
        problem varchar(600),
        ended_at bigint,
        lease_until bigint,
        unique key outbox_id (id),
        key outbox_due (state, due_at),
        key outbox_of_user (user, state, seq),
        key outbox_ended (ended_at)
      ) ${OPTIONS}`,
);

const codeTries = statements(
  sql`create table if not exists code_tries (
        user varchar(${sql.lit(PRINCIPAL_LENGTH)}) not null,
        operation varchar(100) not null,
        tries int not null,
        ends_at bigint not null,
        primary key (user, operation),
        key code_tries_by_end (ends_at)
      ) ${OPTIONS}`,
);

const limits = statements(
  sql`create table if not exists operation_limits (
        operation varchar(100) primary key,
        begun bigint not null
      ) ${OPTIONS}`,
  sql`create table if not exists limited_reads (
        id ${UUID} primary key,
        operation varchar(100) not null,
        began_at bigint not null,
        ends_at bigint not null,
        key limited_reads_of (operation, began_at),
        key limited_reads_by_begin (began_at)
      ) ${OPTIONS}`,
);

/** How many of an operation began lately is counted whenever one with limits is confirmed. */
async function indexBegun(db: Kysely<unknown>): Promise<void> {
  // MySQL has no `if not exists` for an index, and a crash may have come after it.
  const { rows } = await sql`select 1 from information_schema.statistics where table_schema = database()
    and table_name = 'operations' and index_name = 'operations_begun'`.execute(db);
  if (rows.length > 0) return;
  await sql`create index operations_begun on operations (operation, started_at)`.execute(db);
}

/**
 * Rows get their MAC (records.ts). Those of an earlier version that are open, or whose user may still ask, get theirs here,
 * also when a crash in its middle left them without one. Answers how many. Whoever has the database can have this step run again, with rows of
 * their own: unless the settings say that there are rows to be adopted, a row without a MAC is a ConfigError.
 */
async function seal(
  db: Kysely<unknown>,
  { operationMac, messageMac }: Records,
  adoptsRows: boolean,
): Promise<number> {
  for (const table of ['operations', 'outbox']) {
    const { rows } = await sql`select 1 from information_schema.columns where table_schema = database()
      and table_name = ${table} and column_name = 'mac'`.execute(db);
    if (rows.length === 0) await sql`alter table ${sql.table(table)} add column mac ${MAC}`.execute(db);
  }
  // An earlier one without an outbox kept what it had to tell here.
  await sql`insert ignore into outbox (id, user, text, state, due_at, tries)
    select concat('outcome-', id), user, coalesce(text, ''), 'waiting', tell_after, 0
    from operations where told = 0 and tell_after is not null`.execute(db);
  await sql`update operations set told = 1 where told = 0 and tell_after is not null`.execute(db);
  const { rows: operations } = await sql<SealedOperation>`select * from operations where mac is null
    and (finished_at is null or finished_at > (unix_timestamp() - 86400) * 1000)`.execute(db);
  const { rows: messages } =
    await sql<SealedMessage>`select * from outbox where mac is null and state = 'waiting'`.execute(db);
  const count = operations.length + messages.length;
  if (count > 0 && !adoptsRows) {
    throw new ConfigError([
      `OPS_ADOPT_ROWS: ${count} open rows of operations and outbox have no MAC; set it to yes for this one start if it is the first after an update from 0.1, and otherwise look who wrote them.`,
    ]);
  }
  for (const row of operations) {
    await sql`update operations set mac = ${operationMac(row)} where id = ${row.id}`.execute(db);
  }
  for (const row of messages) {
    await sql`update outbox set mac = ${messageMac(row)} where id = ${row.id}`.execute(db);
  }
  return count;
}

/**
 * Brings the platform's database to the form that this version needs, and answers how many rows got a MAC: none unless the rows of
 * an earlier version are to be adopted. Throws a ConfigError.
 */
export async function migrate(records: Records, adoptsRows = false): Promise<number> {
  let sealed = 0;
  await migrateTo(records.db, {
    steps: {
      '2026-11-first': first,
      '2026-11-principals': principals,
      '2026-12-outbox': outbox,
      '2026-12-tries-of-codes': codeTries,
      '2026-12-verified-rows': {
        up: async (db: Kysely<unknown>) => {
          sealed = await seal(db, records, adoptsRows);
        },
      },
      '2027-01-limits': limits,
      '2027-01-limits-index': { up: indexBegun },
    },
    table: 'kysely_migration',
    setting: 'MYSQL_URL',
  });
  return sealed;
}
