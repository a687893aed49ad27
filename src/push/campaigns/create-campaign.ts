import type { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';
import { type Database, isDuplicate } from '../database/database.ts';
import { checkAccount } from '../http/accounts.ts';
import { type Answer, type Ask, Refusal } from '../http/route.ts';
import type { CampaignParts } from './campaign-parts.ts';
import { campaignSchema, LONGEST_LINE, type NewCampaign, readLine } from './campaign-schema.ts';
import { findByKey, findCampaign } from './campaign-store.ts';
import { type Line, readLines } from './lines.ts';
import { loadReceivers } from './load-receivers.ts';
import {
  addReceivers,
  completeLoading,
  insertCampaign,
  type NewCampaignRow,
  removeLoading,
} from './loading-store.ts';
import type { Runs } from './runs.ts';
import { checkSchedule } from './schedule.ts';

/**
 * Takes a campaign in from a stream: its first line, then a receiver in each. It is there as a whole when the stream
 * has ended and was what the app had signed, and not at all otherwise. Throws an InputError or Refusal of one sentence.
 */
export async function createCampaign(parts: CampaignParts, runs: Runs, ask: Ask): Promise<Answer> {
  const { db, accounts, now, onError } = parts;
  if (!/^application\/x-ndjson *(;|$)/i.test(ask.contentType)) {
    throw new Refusal(
      415,
      'a campaign is sent as application/x-ndjson: first the campaign, then a line for each receiver',
    );
  }
  const lines = readLines(ask.raw as Readable, LONGEST_LINE);
  const campaign = await readHead(lines, ask, now());
  checkAccount(ask.caller, campaign.account, accounts);
  const row = rowOf(campaign, ask, parts);
  const serial = await insertCampaign(db, row).catch((error: unknown) => {
    if (isDuplicate(error) && row.idempotency_key !== null) return null;
    throw error;
  });
  if (serial === null) return answerOfFirst(db, ask, row.idempotency_key ?? '');
  try {
    const { total, doubles, sharedNames } = await loadReceivers(lines, serial, {
      isAllowed: (receiver) => ask.caller.scopes.allowsReceiver(receiver),
      add: (rows) => addReceivers(db, { serial, rows, now: now() }),
    });
    const shared_names = JSON.stringify(sharedNames);
    await runs.resolve({ ...row, shared_names });
    await completeLoading(db, serial, { total, doubles, shared_names });
  } catch (error) {
    await removeLoading(db, serial).catch(onError);
    throw error;
  }
  if (campaign.start) await runs.start(await findCampaign(db, row.app, row.id));
  return created(db, ask.caller.app, row.id);
}

async function readHead(lines: AsyncIterator<Line>, { caller }: Ask, now: number): Promise<NewCampaign> {
  const first = await lines.next();
  if (first.done === true) throw new InputError('the body is empty; its first line must be the campaign');
  try {
    const campaign = readLine(campaignSchema, first.value.bytes);
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

function rowOf(
  campaign: NewCampaign,
  { caller, bodyHash }: Ask,
  { now, newId }: CampaignParts,
): NewCampaignRow {
  const { name, template, schedule, perMinute, perDay, callbackUrl, idempotencyKey } = campaign;
  return {
    id: newId(),
    app: caller.app,
    account: campaign.account,
    name,
    state: 'loading',
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

/** The same request again is answered as the first was; while that is loading, or for another request, it is refused. */
async function answerOfFirst(db: Database, { caller, bodyHash }: Ask, key: string): Promise<Answer> {
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
  return created(db, caller.app, first.id);
}

async function created(db: Database, app: string, id: string): Promise<Answer> {
  const { state, total, doubles } = await findCampaign(db, app, id);
  return { status: 201, body: { id, state, total, doubles } };
}
