import { sql } from 'kysely';
import { migrate as migrateTo, statements } from '../../server/migrations.ts';
import { appTables } from './app-tables.ts';
import { campaignTables } from './campaign-tables.ts';
import type { Database } from './database.ts';
import { deliveryTables } from './delivery-tables.ts';
import { mediaTables } from './media-tables.ts';
import { createTables } from './schema.ts';
import { templateTables } from './template-tables.ts';
import { tokenTables } from './token-tables.ts';
import { accountColumns, index, queueTables } from './upgrades.ts';
import { webhookTables } from './webhook-tables.ts';

/**
 * The steps by name, each of which has been run once in a database that is up to date. Tables are made as they are today:
 * a step that changes them finds nothing to do in a database that begins with this version.
 */
export const steps = {
  '2026-11-1-delivery': createTables(deliveryTables),
  '2026-11-2-keys': createTables(appTables),
  '2026-11-3-templates': createTables(templateTables),
  '2026-11-4-media': createTables(mediaTables),
  '2026-11-5-results': createTables(webhookTables),
  '2026-11-6-campaigns': createTables(campaignTables),
  // The tables of what is gone: the names stay for databases that have run these steps.
  '2026-11-7-console': statements(),
  '2026-11-8-no-console': statements(
    sql`drop table if exists console_links`,
    sql`drop table if exists console_sessions`,
  ),
  '2026-11-9-recent-sends': statements(),
  '2026-12-1-accounts': accountColumns,
  '2026-12-2-access-tokens': createTables(tokenTables),
  '2026-12-2-app-rates': createTables(appTables),
  '2026-12-3-one-queue': queueTables,
  // Messages are found by their end, so that old ones can be purged.
  '2026-12-4-purge': index('messages', 'messages_by_end', ['finished_at']),
  // Webhooks are found by their host, so that those of a dead one are not read again and again.
  '2026-12-5-webhook-hosts': index('result_callbacks', 'result_callbacks_by_host', ['host', 'due_at']),
  '2026-12-6-media-owners': createTables(mediaTables),
};

/** Brings the database to the form that this version needs; any number of replicas at once. Throws a ConfigError. */
export function migrate(db: Database): Promise<void> {
  return migrateTo(db, { steps, table: 'push_migration', setting: 'PUSH_MYSQL_URL' });
}
