import { sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/**
 * What message/send said to whom in the last minutes, one row for each part of a message: WeCom's check for repeats drops
 * by content, so two messages of the same words have to be kept apart (§4.2).
 */
export interface RecentSendTable {
  receiver: string;
  /** SHA-1 of what was sent, base64url. */
  words: string;
  message_id: string;
  part: number;
  /** When the last call ended, Unix ms. */
  at: number;
  /** 1 when the answer of one of its calls was never seen. */
  lost: number;
}

export interface RecentTables {
  recent_sends: RecentSendTable;
}

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
