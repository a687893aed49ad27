import { sql, type Updateable } from 'kysely';
import { transact } from '../../server/database.ts';
import type { NewMessage } from '../content/message.ts';
import type { CampaignTables } from '../database/campaign-tables.ts';
import type { Database, Tx } from '../database/database.ts';
import { readBudget } from './budget-store.ts';
import { type CampaignParts, type CampaignRow, refusalOf } from './campaign-store.ts';
import { nextRun } from './schedule.ts';

/**
 * Hands out one slice of a running campaign, and resolves to whether it did. The message of a slice and the move of the
 * campaign's position are one transaction under the lock of its row: whoever is killed in the middle leaves neither, and
 * of several replicas one does it. An app that may not send any more hands nothing out, which is noted as the campaign's
 * problem. The end of a run is found here too.
 */
export async function handOutSlice(parts: CampaignParts, serial: number): Promise<boolean> {
  const isHandedOut = await transact(parts.db, (tx) => handOut(tx, parts, serial));
  if (isHandedOut) parts.messageQueue.wake();
  return isHandedOut;
}

async function handOut(tx: Tx, { messageQueue, now }: CampaignParts, serial: number): Promise<boolean> {
  const campaign = await tx
    .selectFrom('campaigns')
    .selectAll()
    .where('serial', '=', serial)
    .where('state', '=', 'running')
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (campaign === undefined) return false;
  const change = (to: Updateable<CampaignTables['campaigns']>) =>
    tx.updateTable('campaigns').set(to).where('serial', '=', serial).execute();
  const { open, allowed } = await readBudget(tx, campaign, now());
  const receivers = await readWaiting(tx, campaign, { after: 0, limit: Math.max(1, allowed) });
  if (receivers.length === 0 && open === 0) {
    const next_run_at = nextRun(campaign, now());
    await change({ state: next_run_at === null ? 'done' : 'scheduled', next_run_at, finished_at: now() });
  }
  const last = receivers.at(-1);
  if (last === undefined || allowed === 0) return false;
  const users = receivers.map(({ user }) => user);
  const problem = await refusalOf(tx, campaign, users);
  if (problem !== campaign.problem) await change({ problem });
  if (problem !== null) return false;
  const [message_id = ''] = await messageQueue.insert(tx, [messageOf(campaign, receivers)]);
  const slice = { campaign: serial, run: campaign.run, message_id, handed_at: now(), size: users.length };
  await tx.insertInto('campaign_slices').values(slice).execute();
  // Those that wait are handed out in their order, so that none before the last is left.
  await tx
    .deleteFrom('campaign_returned')
    .where('campaign', '=', serial)
    .where('number', '<=', last.number)
    .execute();
  await change({ position: Math.max(campaign.position, last.number) });
  return true;
}

/**
 * Receivers that wait, in order, those after the number `after`: what a pause has taken back, which stands before the
 * position, then what the run has not come to.
 */
export async function readWaiting(
  db: Database | Tx,
  { serial, position }: CampaignRow,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly CampaignTables['campaign_receivers'][]> {
  const { rows } = await sql<CampaignTables['campaign_receivers']>`
    (select r.* from campaign_returned b
      join campaign_receivers r on r.campaign = b.campaign and r.number = b.number
      where b.campaign = ${serial} and b.number > ${after} order by b.number limit ${limit})
    union all
    (select * from campaign_receivers
      where campaign = ${serial} and number > ${Math.max(after, position)} order by number limit ${limit})
    order by number limit ${limit}`.execute(db);
  return rows;
}

function messageOf(
  campaign: CampaignRow,
  receivers: readonly CampaignTables['campaign_receivers'][],
): NewMessage {
  const { id, app, account, callback_url, template_key: key, template_version } = campaign;
  return {
    app,
    account,
    lane: 'bulk',
    content: JSON.parse(campaign.content ?? 'null'),
    variables: JSON.parse(campaign.variables),
    template: { key, version: template_version ?? 0 },
    receivers: receivers.map(({ user, variables }) => ({
      receiver: `user:${user}`,
      ...(variables !== null && { variables: JSON.parse(variables) }),
    })),
    campaignId: id,
    // What a result callback of this slice is known by.
    opaque: id,
    requestHash: campaign.request_hash,
    ...(callback_url !== null && { callbackUrl: callback_url }),
  };
}
