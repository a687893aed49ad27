import { sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** A table of an older version, which a later step drops. */
export const recentTables = statements(
  sql`create table if not exists recent_sends (
    receiver varchar(100) not null,
    words varchar(27) not null,
    message_id ${asciiChar(36)} not null,
    part int not null,
    at bigint not null,
    lost tinyint not null,
    primary key (receiver, words, message_id, part),
    key recent_sends_by_time (at)
  ) ${TABLE_OPTIONS}`,
);
