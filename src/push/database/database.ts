import type { Kysely, Transaction } from 'kysely';
import { openKysely } from '../../server/database.ts';
import type { AppTables } from './app-tables.ts';
import type { CampaignTables } from './campaign-tables.ts';
import type { DeliveryTables } from './delivery-tables.ts';
import type { MediaTables } from './media-tables.ts';
import type { TemplateTables } from './template-tables.ts';
import type { TokenTables } from './token-tables.ts';
import type { WebhookTables } from './webhook-tables.ts';

export { isDatabaseAway, isDuplicate } from '../../server/mysql-errors.ts';

/** Every table of message delivery. */
export interface Tables
  extends AppTables,
    CampaignTables,
    DeliveryTables,
    MediaTables,
    TemplateTables,
    TokenTables,
    WebhookTables {}

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
