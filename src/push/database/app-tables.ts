import { type Generated, sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** Apps, their keys, and what they have asked. */
export interface AppTables {
  /** A system that may ask; `scopes` and `callback_hosts` are JSON lists of words. Times are Unix ms. */
  apps: {
    app_id: string;
    scopes: string;
    per_minute: number;
    callback_hosts: string;
    enabled: number;
    created_at: number;
  };
  /** A key of an app: its hash only. The order of ids is the order of making. */
  app_keys: {
    id: Generated<number>;
    app_id: string;
    key_id: string;
    key_hash: string;
    created_at: number;
    retired_at: number | null;
  };
  /** A nonce that was used; `claim` tells which of several requests at once was the first. */
  nonces: {
    app: string;
    nonce: string;
    claim: string;
    expires_at: number;
  };
  /** How many requests of an app were let through in a minute of the Unix epoch. */
  app_rates: {
    minute: number;
    app: string;
    requests: number;
  };
}

export const keyTables = statements(
  sql`create table if not exists apps (
    app_id varchar(32) primary key,
    scopes text not null,
    per_minute int not null,
    callback_hosts text not null,
    enabled tinyint not null,
    created_at bigint not null
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists app_keys (
    id bigint primary key auto_increment,
    app_id varchar(32) not null,
    key_id ${asciiChar(8)} not null,
    key_hash ${asciiChar(64)} not null,
    created_at bigint not null,
    retired_at bigint,
    unique key app_keys_once (app_id, key_id)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists nonces (
    app varchar(32) not null,
    nonce varchar(64) not null,
    claim ${asciiChar(16)} not null,
    expires_at bigint not null,
    primary key (app, nonce),
    key nonces_by_end (expires_at)
  ) ${TABLE_OPTIONS}`,
);

export const rateTables = statements(
  sql`create table if not exists app_rates (
    minute int not null,
    app varchar(32) not null,
    requests int not null,
    primary key (minute, app)
  ) ${TABLE_OPTIONS}`,
);
