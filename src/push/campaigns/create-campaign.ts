import type { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';
import type { Database } from '../database/database.ts';
import { checkAccount } from '../http/accounts.ts';
import { type Ask, Refusal } from '../http/route.ts';
import { campaignSchema, LONGEST_LINE, type NewCampaign, readLine } from './campaign-schema.ts';
import {
  addReceivers,
  type CampaignParts,
  type CampaignRow,
  changeLoading,
  findByKey,
  findCampaign,
  insertCampaign,
} from './campaign-store.ts';
import type { OrderParts } from './control.ts';
import { loadReceivers, readLines } from './load-receivers.ts';
import { removeLoading } from './removal-store.ts';
import { resolveTemplate, startCampaign } from './runs.ts';
import { checkSchedule } from './schedule.ts';

/**
 * Takes a campaign in from a stream: its first line, then a receiver in each. It is there as a whole when the stream
 * has ended and was what the app had signed, and not at all otherwise. Resolves to the campaign as it stands; the same
 * request again under one idempotency key has the same. Throws an InputError or Refusal of one sentence.
 */
export async function createCampaign(parts: OrderParts, ask: Ask): Promise<CampaignRow> {
  const { db, accounts, now, onError } = parts;
  const { app, scopes } = ask.caller;
  const lines = readLines(ask.raw as Readable, LONGEST_LINE);
  const campaign = await readHead(lines, ask, now());
  checkAccount(ask.caller, campaign.account, accounts);
  const row = rowOf(campaign, ask, parts);
  const serial = await insertCampaign(db, row);
  if (serial === null) return findFirst(db, ask, row.idempotency_key);
  try {
    const { sharedNames, ...loaded } = await loadReceivers(lines, scopes.allowsReceiver, (rows) =>
      addReceivers(db, { serial, rows, now: now() }),
    );
    const shared_names = JSON.stringify(sharedNames);
    await resolveTemplate(parts, { ...row, shared_names });
    await changeLoading(db, serial, { ...loaded, shared_names, state: 'draft' });
  } catch (error) {
    await removeLoading(db, serial).catch(onError);
    throw error;
  }
  if (campaign.start && (await startCampaign(parts, await findCampaign(db, app, row.id)))) parts.onOrder();
  return findCampaign(db, app, row.id);
}

async function readHead(
  lines: AsyncIterator<Buffer | null>,
  { caller }: Ask,
  now: number,
): Promise<NewCampaign> {
  const first = await lines.next();
  if (first.done === true) throw new InputError('the body is empty; its first line must be the campaign');
  try {
    const campaign = readLine(campaignSchema, first.value);
    const { template, schedule, callbackUrl } = campaign;
    if (!caller.scopes.allowsTemplate(template.key)) {
      throw new InputError(`template.key: this app may not use the template ${template.key}`);
    }
    if (schedule !== undefined) checkSchedule(schedule, now);
    if (callbackUrl !== undefined && !caller.callbackHosts.includes(new URL(callbackUrl).hostname)) {
      throw new InputError('callbackUrl: its host is not on the list of this app');
    }
    return campaign;
  } catch (error) {
    throw error instanceof InputError ? new InputError(`line 1 ${error.message}`) : error;
  }
}

function rowOf(campaign: NewCampaign, { caller, bodyHash }: Ask, { now, newId }: CampaignParts) {
  const { name, account, template, schedule, perMinute, perDay, callbackUrl, idempotencyKey } = campaign;
  return {
    id: newId(),
    app: caller.app,
    account,
    name,
    state: 'loading' as const,
    template_key: template.key,
    variables: JSON.stringify(template.variables),
    shared_names: '[]',
    schedule: schedule === undefined ? null : JSON.stringify(schedule),
    per_minute: perMinute ?? null,
    per_day: perDay ?? null,
    callback_url: callbackUrl ?? null,
    idempotency_key: idempotencyKey ?? null,
    request_hash: bodyHash,
    created_at: now(),
    touched_at: now(),
  };
}

/** The campaign of the same request before; while that is loading, or for another request, it is refused. */
async function findFirst(db: Database, { caller, bodyHash }: Ask, key: string | null): Promise<CampaignRow> {
  const first = await findByKey(db, caller.app, key);
  if (first === undefined || first.state === 'loading') {
    throw new Refusal(
      409,
      'a campaign with this idempotencyKey is being loaded; ask again when it has ended',
    );
  }
  if (first.request_hash !== bodyHash) {
    throw new Refusal(409, 'this idempotencyKey was used for another campaign; use a new key for each');
  }
  return first;
}
