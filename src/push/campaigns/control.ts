import type { CampaignState } from '../database/campaign-state.ts';
import type { Database } from '../database/database.ts';
import { type Answer, refuse } from '../http/route.ts';
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
 * Does what an app orders. Resolves to the campaign afterwards, or to a refusal: 404 when the app has none under this id,
 * 409 in a state where the command means nothing. Throws an InputError when a campaign cannot be started.
 */
export async function order(
  { db, runs, now }: { readonly db: Database; readonly runs: Runs; readonly now: () => number },
  command: Command,
  { app, id }: { readonly app: string; readonly id: string },
): Promise<CampaignRow | Answer> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const campaign = await findCampaign(db, app, id);
    if (campaign === undefined) return noCampaign();
    if (!takes[command].includes(campaign.state)) {
      return refuse(
        409,
        `this campaign is ${campaign.state}; ${command} works only on one that is ${takes[command].join(' or ')}`,
      );
    }
    const isDone =
      command === 'start'
        ? await runs.start(campaign)
        : await changeCampaign(db, campaign, changeOf(command, now()));
    const changed = isDone ? await findCampaign(db, app, id) : undefined;
    if (changed !== undefined) return changed;
  }
  return refuse(409, 'this campaign is being changed by others; ask again');
}

/** What is answered for an id that the app does not have. */
export function noCampaign(): Answer {
  return refuse(404, 'this app has no campaign with this id; GET /v1/campaigns lists them');
}

function changeOf(command: 'pause' | 'resume' | 'stop', now: number) {
  if (command === 'stop') return { state: 'stopped', next_run_at: null, finished_at: now } as const;
  return { state: command === 'pause' ? 'paused' : 'running' } as const;
}
