import { readScopes } from '../apps/scopes.ts';
import type { Database, Tx } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';

/**
 * Why the app of a campaign may not send it to these users now, in a sentence; null when it may. Asked before each slice, so that
 * disabling an app, or taking a scope from it, also stops what it had started.
 */
export async function refusalOf(
  db: Database | Tx,
  { app, account, template_key }: Pick<CampaignRow, 'app' | 'account' | 'template_key'>,
  users: readonly string[] = [],
): Promise<string | null> {
  const row = await db
    .selectFrom('apps')
    .select(['enabled', 'scopes'])
    .where('app_id', '=', app)
    .executeTakeFirst();
  if (row?.enabled !== 1) return `the app ${app} is disabled`;
  const scopes = readScopes(JSON.parse(row.scopes));
  if (!scopes.allows('campaigns')) return `the app ${app} has no scope campaigns any more`;
  if (!scopes.allowsTemplate(template_key)) return `the app ${app} may not use this template any more`;
  if (!scopes.allowsAccount(account)) return `the app ${app} may not use the account ${account} any more`;
  const user = users.find((each) => !scopes.allowsReceiver(`user:${each}`));
  return user === undefined ? null : `the app ${app} may not send to ${user} any more`;
}
