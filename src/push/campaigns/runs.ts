import { InputError } from '../../errors.ts';
import { checkTaskId } from '../content/card-schema.ts';
import { USERID } from '../content/fill.ts';
import {
  type CampaignParts,
  type CampaignRow,
  campaignsIn,
  changeCampaign,
  refusalOf,
} from './campaign-store.ts';
import { nextRun } from './schedule.ts';

/** How long after its time a missed run is still begun, ms; a later one is left out. */
const LATEST_MS = 3_600_000;

/** The template as it is now. Throws an InputError that says why when it cannot be sent to every receiver. */
export async function resolveTemplate(
  { templates }: CampaignParts,
  {
    template_key,
    variables,
    shared_names,
    schedule,
  }: Pick<CampaignRow, 'template_key' | 'variables' | 'shared_names' | 'schedule'>,
) {
  const own: readonly string[] = [...JSON.parse(shared_names), USERID];
  const template = await templates.resolve(template_key, JSON.parse(variables), own);
  // What runs again and again says the same to each.
  const isRepeated = schedule !== null && 'cron' in JSON.parse(schedule);
  checkTaskId(template.content, isRepeated ? [] : own);
  return template;
}

/** draft → running, or scheduled; false when it was no draft any more. Throws an InputError when it cannot run. */
export async function startCampaign(parts: CampaignParts, campaign: CampaignRow): Promise<boolean> {
  if (campaign.schedule === null) return begin(parts, campaign);
  await resolveTemplate(parts, campaign);
  const next = nextRun(campaign, parts.now());
  if (next === null) throw new InputError('schedule.at: is over; make a new campaign');
  return changeCampaign(parts.db, campaign, { state: 'scheduled', next_run_at: next });
}

/** Begins what is due, each run once, however many replicas try. One that cannot begin is noted as the campaign's problem. */
export async function beginDue(parts: CampaignParts): Promise<void> {
  const { db, now, onError } = parts;
  for (const campaign of await campaignsIn(db, 'scheduled', now())) {
    await beginInTime(parts, campaign).catch(onError);
  }
}

/** Begins a run that is due, and leaves out one that is over an hour late or that cannot begin. */
async function beginInTime(parts: CampaignParts, campaign: CampaignRow): Promise<void> {
  const { db, now } = parts;
  const due = campaign.next_run_at ?? 0;
  try {
    if (now() - due > LATEST_MS) {
      throw new InputError(
        `the run of ${new Date(due).toISOString()} was left out: message delivery was down for over an hour`,
      );
    }
    const refusal = await refusalOf(db, campaign);
    if (refusal !== null) throw new InputError(refusal);
    await begin(parts, campaign);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const next_run_at = nextRun(campaign, now());
    await changeCampaign(db, campaign, {
      ...(next_run_at === null && { state: 'stopped', finished_at: now() }),
      next_run_at,
      problem: error.message.slice(0, 600),
    });
  }
}

async function begin(parts: CampaignParts, campaign: CampaignRow): Promise<boolean> {
  const { content, version } = await resolveTemplate(parts, campaign);
  return changeCampaign(parts.db, campaign, {
    state: 'running',
    run: campaign.run + 1,
    position: 0,
    content: JSON.stringify(content),
    template_version: version,
    next_run_at: null,
    started_at: parts.now(),
    finished_at: null,
    problem: null,
  });
}
