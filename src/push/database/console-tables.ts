import { sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** Links that were used, so that none is used twice in any replica. Times are Unix ms. */
export interface ConsoleLinkTable {
  id: string;
  user: string;
  used_at: number;
}

/** Who is logged in at the queue view; the id itself is in a cookie only, here is its SHA-256. */
export interface ConsoleSessionTable {
  id_hash: string;
  user: string;
  expires_at: number;
}

export interface ConsoleTables {
  console_links: ConsoleLinkTable;
  console_sessions: ConsoleSessionTable;
}

export const consoleTables = statements(
  sql`create table if not exists console_links (
    id ${asciiChar(36)} primary key,
    user varchar(64) not null,
    used_at bigint not null,
    key console_links_by_time (used_at)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists console_sessions (
    id_hash ${asciiChar(64)} primary key,
    user varchar(64) not null,
    expires_at bigint not null,
    key console_sessions_by_end (expires_at)
  ) ${TABLE_OPTIONS}`,
);
