import { type Generated, sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import { type RowsOf, table } from './schema.ts';

/** Apps, their keys, and what they have asked. */
export const appTables = {
  /** A system that may ask; `scopes` and `callback_hosts` are JSON lists of words. Times are Unix ms. */
  apps: table({
    app_id: sql<string>`varchar(32) primary key`,
    scopes: sql<string>`text not null`,
    per_minute: sql<number>`int not null`,
    callback_hosts: sql<string>`text not null`,
    enabled: sql<number>`tinyint not null`,
    created_at: sql<number>`bigint not null`,
  }),
  /** A key of an app: its hash only. The order of ids is the order of making. */
  app_keys: table(
    {
      id: sql<Generated<number>>`bigint primary key auto_increment`,
      app_id: sql<string>`varchar(32) not null`,
      key_id: sql<string>`${asciiChar(8)} not null`,
      key_hash: sql<string>`${asciiChar(64)} not null`,
      created_at: sql<number>`bigint not null`,
      retired_at: sql<number | null>`bigint`,
    },
    sql`unique key app_keys_once (app_id, key_id)`,
  ),
  /** A nonce that was used; `claim` tells which of several requests at once was the first. */
  nonces: table(
    {
      app: sql<string>`varchar(32) not null`,
      nonce: sql<string>`varchar(64) not null`,
      claim: sql<string>`${asciiChar(16)} not null`,
      expires_at: sql<number>`bigint not null`,
    },
    sql`primary key (app, nonce)`,
    sql`key nonces_by_end (expires_at)`,
  ),
  /** How many requests of an app were let through in a minute of the Unix epoch. */
  app_rates: table(
    {
      minute: sql<number>`int not null`,
      app: sql<string>`varchar(32) not null`,
      requests: sql<number>`int not null`,
    },
    sql`primary key (minute, app)`,
  ),
};
export type AppTables = RowsOf<typeof appTables>;
