import { createLoop } from '../../server/loop.ts';
import { type CampaignParts, campaignsIn } from './campaign-store.ts';
import { settleSlices } from './counts-store.ts';
import { campaignRoutes } from './routes.ts';
import { beginDue } from './runs.ts';
import { handOutSlice } from './slice-store.ts';
import { withdrawAll } from './withdraw-store.ts';

export type Campaigns = ReturnType<typeof createCampaigns>;

/** How long a replica rests when a round had nothing to hand out; ms. */
const REST_MS = 500;
/** How long while no campaign runs and nobody orders anything here: what is due, or ordered elsewhere, is seen within 5 s. */
const IDLE_MS = 5000;

/** Makes the campaigns of one replica: messages to many, handed out little by little by all replicas together. */
export function createCampaigns(parts: CampaignParts) {
  const { db, onError } = parts;
  let isClosing = false;
  /** Whether nothing ran at the last look. */
  let isIdle = false;

  /** Hands out a slice of each running campaign; one that fails keeps nobody from working on the others. */
  const handOut = async (): Promise<boolean> => {
    let isHandedOut = false;
    const running = await campaignsIn(db, 'running');
    isIdle = running.length === 0;
    for (const { serial } of running) {
      if (isClosing) break;
      if (await handOutSlice(parts, serial).catch(onError)) isHandedOut = true;
    }
    return isHandedOut;
  };

  /**
   * One round: begins what is due, takes back what was paused or stopped, counts what has ended, and hands out one slice
   * of each running campaign. Resolves to whether anything was handed out; never throws.
   */
  async function sweep(): Promise<boolean> {
    try {
      await beginDue(parts);
      await withdrawAll(parts);
      await settleSlices(db);
      return await handOut();
    } catch (error) {
      // The database is away, most likely: one error for the whole round.
      onError(error);
      return false;
    }
  }

  const loop = createLoop({ restMs: () => (isIdle ? IDLE_MS : REST_MS), work: sweep, onError });

  return {
    routes: campaignRoutes({ ...parts, onOrder: loop.wake }),
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
