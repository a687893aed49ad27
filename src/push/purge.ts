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
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The rounds that delete by and by what is not needed any more, in one replica, each with the rest that follows it (ms):
 * a minute, and an hour between walks over the lines. Once it is stopped, no further piece is begun.
 */
export function purgeRounds({ db, keepDays, now, sleep }: PurgeParts) {
  const work = async (isStopped: () => boolean): Promise<void> => {
    const ended = { db, sleep, isStopped, before: now() - keepDays * DAY_MS, now: now() };
    await purgeMessages(ended);
    await purgeCampaigns(ended);
    await purgeSlices(ended);
    if (!isStopped()) await purgeLimits(db, now());
  };
  return [
    { restMs: MINUTE_MS, work },
    { restMs: HOUR_MS, work: (isStopped: () => boolean) => purgeLines({ db, sleep, isStopped }) },
  ];
}
