import { type RawBuilder, sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { NewMessage } from '../content/message.ts';
import type { CampaignTables } from '../database/campaign-tables.ts';
import type { Database, Tx } from '../database/database.ts';
import { dayOf } from '../queue/limits.ts';
import { type CampaignParts, type CampaignRow, changeCampaign, refusalOf } from './campaign-store.ts';
import { nextRun } from './schedule.ts';

/** At most so many receivers become one message: what message/send takes at once (§4.2). */
const SLICE = 1000;
/** At most so many deliveries of one campaign are open, so that the queue does not grow with it. */
const MAX_OPEN = 2000;
const MINUTE_MS = 60_000;

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
  const found = await sql<CampaignRow>`
    select * from campaigns where serial = ${serial} and state = 'running' for update skip locked`.execute(
    tx,
  );
  const [campaign] = found.rows;
  if (campaign === undefined) return false;
  const change = (to: Parameters<typeof changeCampaign>[2]) => changeCampaign(tx, campaign, to);
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
  await sql`delete from campaign_returned where campaign = ${serial} and number <= ${last.number}`.execute(
    tx,
  );
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

/**
 * Reads what a campaign may do now, under the lock of its row: how many deliveries are `open`, and how many more receivers
 * are `allowed` to be handed out, at most one slice.
 */
async function readBudget(tx: Tx, { serial, per_minute, per_day }: CampaignRow, now: number) {
  const open = await count(
    tx,
    sql`sum(m.open) count from campaign_slices s join messages m on m.id = s.message_id
      where s.campaign = ${serial} and s.settled_at is null`,
  );
  const left = [SLICE, MAX_OPEN - open];
  if (per_minute !== null) left.push(per_minute - (await countSince(tx, serial, now - MINUTE_MS)));
  if (per_day !== null) {
    const today = dayOf(now).beginsAt;
    const handed = sql`sum(size) count from campaign_slices where campaign = ${serial} and handed_at >= ${today}`;
    left.push(per_day - (await count(tx, handed)) - (await countSince(tx, serial, today, today)));
  }
  return { open, allowed: Math.max(0, Math.min(...left)) };
}

/**
 * How many deliveries may have reached WeCom since then: those that are open, and those that ended since. So however
 * late one is sent, it counts until the window after its end is over. Looks at slices handed out before `before`.
 */
function countSince(tx: Tx, serial: number, since: number, before = 2 ** 52): Promise<number> {
  return count(
    tx,
    sql`count(*) count from campaign_slices s force index (campaign_slices_unsettled)
      join messages m on m.id = s.message_id and (m.open > 0 or m.finished_at > ${since})
      join deliveries d on d.message_id = m.id and (d.finished_at is null or d.finished_at > ${since})
      where s.campaign = ${serial} and (s.settled_at is null or s.settled_at > ${since}) and s.handed_at < ${before}`,
  );
}

/** The `count` that is selected; 0 when there is nothing. */
async function count(tx: Tx, what: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: string | number | null }>`select ${what}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
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
    callbackUrl: callback_url ?? undefined,
  };
}
