import { createHash } from 'node:crypto';
import { transact } from '../../server/database.ts';
import type { NewMessage } from '../content/message.ts';
import type { CampaignReceiverTable } from '../database/campaign-tables.ts';
import type { Tx } from '../database/database.ts';
import { readBudget } from './budget-store.ts';
import type { CampaignParts } from './campaign-parts.ts';
import type { CampaignRow } from './campaign-store.ts';
import { refusalOf } from './permissions.ts';
import { scheduleOf } from './runs.ts';
import { nextRun } from './schedule.ts';
import { changeLocked, lockRunning, noteSlice, readWaiting } from './slice-store.ts';

/**
 * Makes what hands out one slice of a running campaign, and resolves to whether it did. The message of a slice and the
 * move of the campaign's position are one transaction under the lock of its row: whoever is killed in the middle leaves
 * neither, and of several replicas one does it. An app that may not send any more hands nothing out, which is noted as
 * the campaign's problem. The end of a run is found here too.
 */
export function createSlicer({ db, messageQueue, now }: CampaignParts): (serial: number) => Promise<boolean> {
  async function handOut(tx: Tx, serial: number): Promise<readonly string[]> {
    const campaign = await lockRunning(tx, serial);
    if (campaign === undefined) return [];
    const { open, allowed } = await readBudget(tx, campaign, now());
    const receivers = await readWaiting(tx, campaign, { after: 0, limit: Math.max(1, allowed) });
    if (receivers.length === 0 && open === 0) await end(tx, campaign);
    if (receivers.length === 0 || allowed === 0) return [];
    const users = receivers.map(({ user }) => user);
    const problem = await refusalOf(tx, campaign, users);
    if (problem !== campaign.problem) await changeLocked(tx, serial, { problem });
    if (problem !== null) return [];
    const ids = await messageQueue.insert(tx, [messageOf(campaign, receivers)]);
    await noteSlice(tx, campaign, { message_id: ids[0] ?? '', handed_at: now() }, receivers);
    return ids;
  }

  /** running → done, or scheduled until its next run. */
  async function end(tx: Tx, campaign: CampaignRow): Promise<void> {
    const { serial, schedule, id } = campaign;
    const next_run_at = schedule === null ? null : nextRun(scheduleOf(campaign), now(), id);
    const state = next_run_at === null ? 'done' : 'scheduled';
    await changeLocked(tx, serial, { state, next_run_at, finished_at: now() });
  }

  return async (serial) => {
    const ids = await transact(db, (tx) => handOut(tx, serial));
    if (ids.length > 0) messageQueue.wake();
    return ids.length > 0;
  };
}

function messageOf(campaign: CampaignRow, receivers: readonly CampaignReceiverTable[]): NewMessage {
  const { id, run, callback_url, template_key: key, template_version } = campaign;
  const first = receivers[0]?.number ?? 0;
  return {
    app: campaign.app,
    account: campaign.account,
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
    requestHash: createHash('sha256').update(`campaign\n${id}\n${run}\n${first}`).digest('hex'),
    ...(callback_url !== null && { callbackUrl: callback_url }),
  };
}
