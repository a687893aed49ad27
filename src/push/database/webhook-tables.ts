import { type Generated, sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** How far telling an app is: `lost` after a day of tries, `refused` when its host is on the app's list no more. */
export type CallbackState = 'open' | 'told' | 'lost' | 'refused' | 'void';

/** Webhooks. */
export interface WebhookTables {
  /** The webhook of one message; a message that is sent again has its result posted again. Times are Unix ms. */
  result_callbacks: {
    message_id: string;
    app: string;
    /** The host of the address, so that a slow one can be left out. */
    host: string;
    state: Generated<CallbackState>;
    tries: Generated<number>;
    /** When to try, or until when the lease goes; null when it is over. */
    due_at: number | null;
    lease_owner: string | null;
    noted_at: number;
    last_error: string | null;
    done_at: number | null;
  };
}

export const resultTables = statements(
  sql`create table if not exists result_callbacks (
    message_id ${asciiChar(36)} primary key,
    app varchar(32) not null,
    host varchar(253) not null,
    state varchar(7) not null default 'open',
    tries int not null default 0,
    due_at bigint,
    lease_owner ${asciiChar(36)},
    noted_at bigint not null,
    last_error varchar(200),
    done_at bigint,
    key result_callbacks_by_time (due_at, host),
    key result_callbacks_by_end (done_at)
  ) ${TABLE_OPTIONS}`,
);
