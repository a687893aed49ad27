import { createLoop } from '../server/loop.ts';
import { purgeCampaigns, purgeSlices } from './campaigns/removal-store.ts';
import type { Database } from './database/database.ts';
import { purgeLimits, purgeMessages } from './messages/purge-store.ts';
import { purgeLines } from './queue/line-purge-store.ts';

interface PurgeParts {
  readonly db: Database;
  /** How long messages and campaigns are kept after their end. */
  readonly keepDays: number;
  /** Unix ms. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** How long it rests after a round, in ms; when left out a minute, and an hour between walks over the lines. */
  readonly restMs?: number;
  readonly onError: (error: unknown) => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Makes what deletes by and by what is not needed any more, in one replica; it does not run yet. */
export function createPurge(parts: PurgeParts) {
  const { db, keepDays, now, sleep, restMs, onError } = parts;
  let isClosing = false;
  const isStopped = (): boolean => isClosing;
  const work = async (): Promise<void> => {
    const ended = { db, before: now() - keepDays * DAY_MS, now: now(), sleep, isStopped };
    await purgeMessages(ended);
    await purgeCampaigns(ended);
    await purgeSlices(ended);
    if (!isStopped()) await purgeLimits(db, now());
  };
  const walk = (): Promise<void> => purgeLines({ db, sleep, isStopped });
  const loops = [
    createLoop({ restMs: restMs ?? MINUTE_MS, work, onError }),
    createLoop({ restMs: restMs ?? HOUR_MS, work: walk, onError }),
  ];
  return {
    start(): void {
      for (const loop of loops) loop.start();
    },
    /** Begins no further piece, and waits for the one under way. */
    async close(): Promise<void> {
      isClosing = true;
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
