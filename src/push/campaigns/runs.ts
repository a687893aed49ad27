import { InputError } from '../../errors.ts';
import { USERID } from '../content/fill.ts';
import type { Variables } from '../content/message.ts';
import type { CampaignParts } from './campaign-parts.ts';
import { type CampaignRow, campaignsIn, changeCampaign } from './campaign-store.ts';
import { refusalOf } from './permissions.ts';
import { nextRun, type Schedule } from './schedule.ts';

/** How long after its time a missed run is still begun, ms; a later one is left out. */
const LATEST_MS = 3_600_000;

export type Runs = ReturnType<typeof createRuns>;

type Templated = Pick<CampaignRow, 'template_key' | 'variables' | 'shared_names'>;

/** Makes what begins runs: at once, or when their time has come. Each is begun once, however many replicas try. */
export function createRuns({ db, templates, now, onError }: CampaignParts) {
  /** The template as it is now. Throws an InputError that says what is missing when it cannot be filled for every receiver. */
  const resolve = ({ template_key, variables, shared_names }: Templated) => {
    const names: readonly string[] = JSON.parse(shared_names);
    const common: Variables = JSON.parse(variables);
    return templates.resolve(template_key, common, [...names, USERID]);
  };

  async function begin(campaign: CampaignRow): Promise<boolean> {
    const { content, version } = await resolve(campaign);
    return changeCampaign(db, campaign, {
      state: 'running',
      run: campaign.run + 1,
      position: 0,
      content: JSON.stringify(content),
      template_version: version,
      next_run_at: null,
      started_at: now(),
      finished_at: null,
      problem: null,
    });
  }

  async function fireOne(campaign: CampaignRow): Promise<void> {
    const due = campaign.next_run_at ?? 0;
    try {
      if (now() - due > LATEST_MS) {
        throw new InputError(
          `the run of ${new Date(due).toISOString()} was left out: message delivery was down for over an hour`,
        );
      }
      const refusal = await refusalOf(db, campaign);
      if (refusal !== null) throw new InputError(refusal);
      await begin(campaign);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const next = nextRun(scheduleOf(campaign), now(), campaign.id);
      const change = next === null ? ({ state: 'stopped', finished_at: now() } as const) : {};
      await changeCampaign(db, campaign, {
        ...change,
        next_run_at: next,
        problem: error.message.slice(0, 600),
      });
    }
  }

  return {
    resolve,
    /** draft → running, or scheduled; false when it was no draft any more. Throws an InputError when it cannot run. */
    async start(campaign: CampaignRow): Promise<boolean> {
      if (campaign.schedule === null) return begin(campaign);
      await resolve(campaign);
      const next = nextRun(scheduleOf(campaign), now(), campaign.id);
      if (next === null) throw new InputError('schedule.at: is over; make a new campaign');
      return changeCampaign(db, campaign, { state: 'scheduled', next_run_at: next });
    },
    /** Begins what is due. A run over an hour late is left out; one that cannot begin is noted as the campaign's problem. */
    async fire(): Promise<void> {
      for (const campaign of await campaignsIn(db, 'scheduled', now())) {
        await fireOne(campaign).catch(onError);
      }
    },
  };
}

/** The schedule of a campaign that has one. */
export function scheduleOf({ schedule }: Pick<CampaignRow, 'schedule'>): Schedule {
  return JSON.parse(schedule ?? 'null');
}
