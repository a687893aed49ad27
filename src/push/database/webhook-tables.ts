import { type Generated, sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import { table } from './schema.ts';

/** How far telling an app is: `lost` after a day of tries, `refused` when its host is on the app's list no more. */
export type CallbackState = 'open' | 'told' | 'lost' | 'refused' | 'void';

/** Webhooks. */
export const webhookTables = {
  /** The webhook of one message; a message that is sent again has its result posted again. Times are Unix ms. */
  result_callbacks: table(
    {
      message_id: sql<string>`${asciiChar(36)} primary key`,
      app: sql<string>`varchar(32) not null`,
      /** The host of the address, so that a slow one can be left out. */
      host: sql<string>`varchar(253) not null`,
      state: sql<Generated<CallbackState>>`varchar(7) not null default 'open'`,
      tries: sql<Generated<number>>`int not null default 0`,
      /** When to try, or until when the lease goes; null when it is over. */
      due_at: sql<number | null>`bigint`,
      lease_owner: sql<string | null>`${asciiChar(36)}`,
      noted_at: sql<number>`bigint not null`,
      last_error: sql<string | null>`varchar(200)`,
      done_at: sql<number | null>`bigint`,
    },
    sql`key result_callbacks_by_time (due_at, host)`,
    sql`key result_callbacks_by_host (host, due_at)`,
    sql`key result_callbacks_by_end (done_at)`,
  ),
};
