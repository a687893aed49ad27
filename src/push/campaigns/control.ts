import type { CampaignState } from '../database/campaign-tables.ts';
import { type Caller, Refusal } from '../http/route.ts';
import { type CampaignParts, type CampaignRow, changeCampaign, findCampaign } from './campaign-store.ts';
import { startCampaign } from './runs.ts';
import { withdrawAll } from './withdraw-store.ts';

/** What an app may order: in which states it means something, the state that it leads to, and what it does. */
export const commands = {
  start: { from: ['draft'], to: 'running', about: 'Starts a draft: at once, or arms its schedule.' },
  pause: {
    from: ['running'],
    to: 'paused',
    about: 'Nobody more is sent to; what was handed out and not begun waits again.',
  },
  resume: { from: ['paused'], to: 'running', about: 'Goes on where it was paused.' },
  stop: {
    from: ['draft', 'scheduled', 'running', 'paused'],
    to: 'stopped',
    about: 'Ends it for good; what was handed out and not begun is cancelled.',
  },
} as const;

/** What taking orders needs. */
export interface OrderParts extends CampaignParts {
  /** A campaign has another state now. */
  readonly onOrder: () => void;
}

/** Two at once: whoever comes second looks again. */
const TRIES = 3;

/**
 * Does what an app orders; resolves to the campaign afterwards. Throws a Refusal: 404 when the app has none under this id, 403 when it
 * may not use the template any more, 409 in a state where the command means nothing; an InputError when it cannot be started.
 */
export async function order(
  parts: OrderParts,
  { app, scopes }: Caller,
  { command, id }: { readonly command: keyof typeof commands; readonly id: string },
): Promise<CampaignRow> {
  const { db, now, onError } = parts;
  const { from, to }: { from: readonly CampaignState[]; to: CampaignState } = commands[command];
  const ended = to === 'stopped' ? { next_run_at: null, finished_at: now() } : {};
  for (let tries = 0; tries < TRIES; tries += 1) {
    const campaign = await findCampaign(db, app, id);
    const { serial, state, template_key: key } = campaign;
    if ((command === 'start' || command === 'resume') && !scopes.allowsTemplate(key)) {
      throw new Refusal(403, `this app may not use the template ${key} any more`);
    }
    if (!from.includes(state)) {
      const states = from.join(' or ');
      throw new Refusal(409, `this campaign is ${state}; ${command} works only on one that is ${states}`);
    }
    const isDone =
      command === 'start'
        ? await startCampaign(parts, campaign)
        : await changeCampaign(db, campaign, { state: to, ...ended });
    if (!isDone) continue;
    parts.onOrder();
    // What fails here is left to the next round.
    await withdrawAll(parts, serial).catch(onError);
    return findCampaign(db, app, id);
  }
  throw new Refusal(409, 'this campaign is being changed by others; ask again');
}
