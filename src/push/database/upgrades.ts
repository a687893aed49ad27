import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import { databaseTime as now } from './clock.ts';
import { deliveryTables } from './delivery-tables.ts';
import { createTables } from './schema.ts';

/**
 * Whether a table has a column or an index of this name. A step may be run again after a crash in its middle, and MySQL has
 * no `add column if not exists`: it is looked what is there.
 */
async function has(db: Kysely<unknown>, table: string, name: string): Promise<boolean> {
  const { rows } = await sql`select 1 from information_schema.columns
      where table_schema = database() and table_name = ${table} and column_name = ${name}
    union select 1 from information_schema.statistics
      where table_schema = database() and table_name = ${table} and index_name = ${name}`.execute(db);
  return rows.length > 0;
}

/** The step that gives rows an account, the default one to what is there, and lines room for its name. */
export const accountColumns: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of ['messages', 'deliveries', 'campaigns']) {
      if (await has(db, table, 'account')) continue;
      await sql`alter table ${sql.table(table)}
        add column account varchar(32) not null default 'default'`.execute(db);
    }
    if (await has(db, 'deliveries', 'busy'))
      await sql`alter table deliveries modify line varchar(150), modify busy varchar(150)`.execute(db);
  },
};

/** How a receiver is named where accounts are told apart. */
const target = sql`concat(if(d.account = 'default', '', concat(d.account, '/')), d.receiver)`;
/** The day of China, which knows no summer time. */
const today = sql`((${now} + 28800000) div 86400000)`;

/** What waited in the tables of two queues, put into one; each statement may be run again. */
const fill: readonly RawBuilder<unknown>[] = [
  // The order was that of the ids; clocks of replicas differed.
  sql`update deliveries d join (
      select id, max(since) over (partition by line order by id) place from deliveries
      where line is not null and since <= ${now}
    ) v on v.id = d.id set d.since = v.place`,
  // A message for later stands in its line at its time.
  sql`update deliveries d join messages m on m.id = d.message_id
    set d.line = concat(m.lane, ':', ${target}), d.since = d.wakes_at, d.due_at = d.wakes_at, d.wakes_at = null
    where d.wakes_at is not null and d.state = 'queued'`,
  sql`insert ignore into delivery_lines (line, account, lane, due_at)
    select line, max(if(receiver like 'robot:%', '', account)), substring_index(line, ':', 1), min(since)
    from deliveries where line is not null group by line`,
  // Calls that were under way end with their leases.
  sql`update delivery_lines l join deliveries d on d.busy = l.line
    set l.owner = coalesce(d.lease_owner, ''), l.delivery_id = d.id, l.due_at = coalesce(d.lease_until, ${now})
    where d.state = 'sending'`,
  // The limits go on with the calls of the last hour and of this day.
  sql`update attempts a join deliveries d on d.id = a.delivery_id
    set a.target = ${target}, a.ended_at = a.at + a.ms
    where a.at > ${now} - 3700000 and a.errcode <> 'unsent' and a.target is null`,
  sql`insert ignore into sent_days (account, day, used)
    select d.account, ${today}, count(*) from attempts a join deliveries d on d.id = a.delivery_id
    where a.at >= ${today} * 86400000 - 28800000 and a.errcode <> 'unsent'
      and d.receiver not like 'robot:%' and d.receiver not like 'chat:%' group by d.account`,
];

/** The step from two queues to one. All processes of an older version must have ended. */
export const queueTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createTables(deliveryTables).up(db);
    if (!(await has(db, 'attempts', 'target'))) {
      await sql`alter table attempts add column target varchar(143), add column ended_at bigint,
        add column part int, add column words varchar(27), add key attempts_by_target (target, ended_at)`.execute(
        db,
      );
    }
    if (await has(db, 'deliveries', 'wakes_at')) {
      for (const statement of fill) await statement.execute(db);
      await sql`alter table deliveries drop key deliveries_by_line, drop key deliveries_busy, drop key deliveries_by_wake,
        drop key deliveries_by_end, drop column busy, drop column wakes_at, drop column lease_owner, drop column lease_until,
        add key deliveries_by_line (line, since, id)`.execute(db);
    }
    await sql`drop table if exists recent_sends`.execute(db);
  },
};

/** A step that adds an index to a table, over these columns. */
export function index(table: string, name: string, columns: readonly string[]): Migration {
  const over = sql.join(columns.map((column) => sql.ref(column)));
  return {
    async up(db: Kysely<unknown>) {
      if (await has(db, table, name)) return;
      await sql`alter table ${sql.table(table)} add key ${sql.id(name)} (${over})`.execute(db);
    },
  };
}
