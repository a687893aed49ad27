import { type Kysely, type Migration, sql } from 'kysely';

/** Tables whose rows belong to an account; what is in them from before belongs to the default one. */
const TABLES = ['messages', 'deliveries', 'campaigns'] as const;

/**
 * The step that gives rows an account, and lines room for its name. A step may be run again after a crash in its middle,
 * and MySQL has no `add column if not exists`: it is looked what is there.
 */
export const accountColumns: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of TABLES) {
      const { rows } = await sql`select 1 from information_schema.columns
        where table_schema = database() and table_name = ${table} and column_name = 'account'`.execute(db);
      if (rows.length > 0) continue;
      await sql`alter table ${sql.table(table)}
        add column account varchar(32) not null default 'default'`.execute(db);
    }
    await sql`alter table deliveries modify line varchar(150), modify busy varchar(150)`.execute(db);
  },
};
