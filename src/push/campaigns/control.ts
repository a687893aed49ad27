import type { CampaignState } from '../database/campaign-tables.ts';
import { type Caller, Refusal } from '../http/route.ts';
import type { CampaignParts } from './campaign-parts.ts';
import { type CampaignRow, changeCampaign, findCampaign } from './campaign-store.ts';
import type { Runs } from './runs.ts';

export const commands = ['start', 'pause', 'resume', 'stop'] as const;
export type Command = (typeof commands)[number];

/** In which states a command does something. */
const takes: Readonly<Record<Command, readonly CampaignState[]>> = {
  start: ['draft'],
  pause: ['running'],
  resume: ['paused'],
  stop: ['draft', 'scheduled', 'running', 'paused'],
};

/** Two at once: whoever comes second looks again. */
const TRIES = 3;

/**
 * Does what an app orders; resolves to the campaign afterwards. Throws a Refusal: 404 when the app has none under this id, 403 when it
 * may not use the template any more, 409 in a state where the command means nothing; an InputError when it cannot be started.
 */
export async function order(
  { db, now }: CampaignParts,
  runs: Runs,
  { command, id, caller }: { readonly command: Command; readonly id: string; readonly caller: Caller },
): Promise<CampaignRow> {
  const { app, scopes } = caller;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const campaign = await findCampaign(db, app, id);
    const { state, template_key: key } = campaign;
    if ((command === 'start' || command === 'resume') && !scopes.allowsTemplate(key)) {
      throw new Refusal(403, `this app may not use the template ${key} any more`);
    }
    if (!takes[command].includes(state)) {
      const states = takes[command].join(' or ');
      throw new Refusal(409, `this campaign is ${state}; ${command} works only on one that is ${states}`);
    }
    const isDone =
      command === 'start'
        ? await runs.start(campaign)
        : await changeCampaign(db, campaign, changeOf(command, now()));
    if (isDone) return findCampaign(db, app, id);
  }
  throw new Refusal(409, 'this campaign is being changed by others; ask again');
}

function changeOf(command: 'pause' | 'resume' | 'stop', now: number) {
  if (command === 'stop') return { state: 'stopped', next_run_at: null, finished_at: now } as const;
  return { state: command === 'pause' ? 'paused' : 'running' } as const;
}
