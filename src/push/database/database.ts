import type { Kysely, Transaction } from 'kysely';
import { openKysely } from '../../server/database.ts';
import type { AppKeyTable, AppRateTable, AppTable, NonceTable } from './app-tables.ts';
import type {
  CampaignReceiverTable,
  CampaignReturnedTable,
  CampaignSliceTable,
  CampaignTable,
} from './campaign-tables.ts';
import type {
  AttemptTable,
  BlockTable,
  DayTable,
  DeliveryTable,
  LineTable,
  MessageTable,
} from './delivery-tables.ts';
import type { MediaChunkTable, MediaIdTable, MediaTable } from './media-tables.ts';
import type { TemplateTable, TemplateVersionTable } from './template-tables.ts';
import type { AccessTokenTable } from './token-tables.ts';
import type { ResultCallbackTable } from './webhook-tables.ts';

export { isDatabaseAway, isDuplicate } from '../../server/mysql-errors.ts';

/** Every table of message delivery. */
export interface Tables {
  messages: MessageTable;
  deliveries: DeliveryTable;
  delivery_lines: LineTable;
  attempts: AttemptTable;
  sent_days: DayTable;
  blocks: BlockTable;
  apps: AppTable;
  app_keys: AppKeyTable;
  nonces: NonceTable;
  app_rates: AppRateTable;
  templates: TemplateTable;
  template_versions: TemplateVersionTable;
  media: MediaTable;
  media_chunks: MediaChunkTable;
  media_ids: MediaIdTable;
  result_callbacks: ResultCallbackTable;
  campaigns: CampaignTable;
  campaign_receivers: CampaignReceiverTable;
  campaign_returned: CampaignReturnedTable;
  campaign_slices: CampaignSliceTable;
  access_tokens: AccessTokenTable;
}

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
