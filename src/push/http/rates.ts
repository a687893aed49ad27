import type { Database } from '../database/database.ts';
import { addRequests, deleteRequests } from './rate-store.ts';

/** How many requests an app makes in a minute, together in all replicas. */
export interface Rates {
  /** Counts one request that is within the limit and returns 0; otherwise returns the seconds until the next minute. */
  take(app: string, perMinute: number): number;
  /**
   * Exchanges counts with the other replicas; to be called every `SETTLE_MS`, one call at a time. Counts that the database
   * does not take are not handed in again, since they may stand there: this process alone goes on counting them.
   */
  settle(): Promise<void>;
}

/** Between two exchanges a replica does not know what the others let through. */
export const SETTLE_MS = 250;
const MINUTE_MS = 60_000;

interface Count {
  /** Let through in this process in this minute. */
  own: number;
  /** Those of them that no other replica knows of. */
  unsaid: number;
  /** Let through by all others, as of the last exchange. */
  others: number;
}

/** Makes the counter. No request waits for the database; while it is away each process counts for itself. */
export function createRates(db: Database, now: () => number): Rates {
  let minute = 0;
  let counts = new Map<string, Count>();
  let cleanedAt = 0;

  return {
    take(app, perMinute) {
      const current = Math.floor(now() / MINUTE_MS);
      if (current !== minute) counts = new Map();
      minute = current;
      const count = counts.get(app) ?? { own: 0, unsaid: 0, others: 0 };
      counts.set(app, count);
      if (count.own + count.others >= perMinute) return Math.ceil(((current + 1) * MINUTE_MS - now()) / 1000);
      count.own += 1;
      count.unsaid += 1;
      return 0;
    },
    async settle() {
      const settling = minute;
      const changed = new Map([...counts].filter(([, { unsaid }]) => unsaid > 0));
      if (changed.size === 0) return;
      const requests = new Map([...changed].map(([app, { unsaid }]) => [app, unsaid]));
      for (const count of changed.values()) count.unsaid = 0;
      const totals = await addRequests(db, settling, requests);
      for (const [app, count] of changed) {
        count.others = Math.max(0, (totals.get(app) ?? 0) - (count.own - count.unsaid));
      }
      if (cleanedAt === settling) return;
      cleanedAt = settling;
      await deleteRequests(db, settling - 1);
    },
  };
}
