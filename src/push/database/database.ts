import type { Kysely, Transaction } from 'kysely';
import { openKysely } from '../../server/database.ts';
import type { appTables } from './app-tables.ts';
import type { campaignTables } from './campaign-tables.ts';
import type { deliveryTables } from './delivery-tables.ts';
import type { mediaTables } from './media-tables.ts';
import type { RowsOf } from './schema.ts';
import type { templateTables } from './template-tables.ts';
import type { tokenTables } from './token-tables.ts';
import type { webhookTables } from './webhook-tables.ts';

/** Every table of message delivery. */
export type Tables = RowsOf<
  typeof appTables &
    typeof campaignTables &
    typeof deliveryTables &
    typeof mediaTables &
    typeof templateTables &
    typeof tokenTables &
    typeof webhookTables
>;

/** The database of message delivery: the truth about every message. */
export type Database = Kysely<Tables>;
export type Tx = Transaction<Tables>;

const CONNECTIONS = 20;

/**
 * Opens the database, in which every statement sees what others have committed; no connection is made before the first query. The URL
 * is never logged. `onRetry` hears of every transaction that is run again (server/database.ts); a statement may take `statementMs`.
 */
export function openDatabase(
  url: string,
  options: { readonly onRetry?: () => void; readonly statementMs?: number } = {},
): Database {
  return openKysely<Tables>(url, { connections: CONNECTIONS, isolation: 'read committed', ...options });
}
