import { createLoop } from '../../server/loop.ts';
import type { CampaignParts } from './campaign-parts.ts';
import { campaignsIn } from './campaign-store.ts';
import { settleSlices } from './counts-store.ts';
import { removeAbandoned } from './loading-store.ts';
import { campaignRoutes } from './routes.ts';
import { createRuns } from './runs.ts';
import { createSlicer } from './slicer.ts';
import { findWithdrawals, withdraw } from './withdraw-store.ts';

export type Campaigns = ReturnType<typeof createCampaigns>;

/** How long a replica rests when a round had nothing to hand out; ms. */
const REST_MS = 500;
/** So many rounds are left out while no campaign runs: one that is started is seen within 2 s. */
const IDLE_ROUNDS = 3;

/** Makes the campaigns of one replica: messages to many, handed out little by little by all replicas together. */
export function createCampaigns(parts: CampaignParts) {
  const { db, webhooks, now, onError } = parts;
  const runs = createRuns(parts);
  const slice = createSlicer(parts);
  let isClosing = false;
  /** How many rounds are left out, since nothing ran at the last look. */
  let idleRounds = 0;

  const withdrawAll = async (serial?: number): Promise<void> => {
    let count = 0;
    for (const found of await findWithdrawals(db, serial)) {
      count += await withdraw(db, webhooks, { ...found, now: now() }).catch(none);
    }
    if (count > 0) webhooks.wake();
  };
  const handOut = async (): Promise<boolean> => {
    let count = 0;
    const running = await campaignsIn(db, 'running');
    idleRounds = running.length > 0 ? 0 : IDLE_ROUNDS;
    for (const { serial } of running) {
      if (isClosing) break;
      count += (await slice(serial).catch(none)) ? 1 : 0;
    }
    return count > 0;
  };
  /** One that fails keeps nobody from working on the others. */
  const none = (error: unknown): 0 => {
    onError(error);
    return 0;
  };

  /**
   * One round: begins what is due, hands out one slice of each running campaign, takes back what was paused or stopped,
   * and removes what was left half loaded. Resolves to whether anything was handed out; never throws.
   */
  async function sweep(): Promise<boolean> {
    try {
      await runs.fire();
      await withdrawAll();
      await settleSlices(db);
      await removeAbandoned(db, now());
      return await handOut();
    } catch (error) {
      // The database is away, most likely: one error for the whole round.
      onError(error);
      return false;
    }
  }

  const work = async (): Promise<boolean> => {
    idleRounds -= 1;
    return idleRounds < 0 && sweep();
  };
  const loop = createLoop({ restMs: REST_MS, work, onError });

  return {
    routes: campaignRoutes({ ...parts, runs, withdraw: (serial) => withdrawAll(serial).catch(onError) }),
    sweep,
    /** Begins to work on whatever there is to do, until `close`. */
    start(): void {
      loop.wake();
      loop.start();
    },
    /** Ends after the round that is running. */
    async close(): Promise<void> {
      isClosing = true;
      await loop.stop();
    },
  };
}
