import type { Database } from '../database/database.ts';

/** How many requests an app makes in a minute, together in all replicas. */
export type Rates = ReturnType<typeof createRates>;

/** Between two exchanges a replica does not know what the others let through. */
export const SETTLE_MS = 250;
const MINUTE_MS = 60_000;

interface Count {
  /** Let through in this process in this minute. */
  own: number;
  /** Those of them that the other replicas know of. */
  said: number;
  /** Let through by all others, as of the last exchange. */
  others: number;
}

/** Makes the counter. No request waits for the database; while it is away each process counts for itself. */
export function createRates(db: Database, now: () => number) {
  /** Of the Unix epoch. */
  let minute = 0;
  let counts = new Map<string, Count>();
  let cleanedAt = 0;

  return {
    /** Counts one request that is within the limit and returns 0; otherwise returns the seconds until the next minute. */
    take(app: string, perMinute: number): number {
      const current = Math.floor(now() / MINUTE_MS);
      if (current !== minute) counts = new Map();
      minute = current;
      const count = counts.get(app) ?? { own: 0, said: 0, others: 0 };
      counts.set(app, count);
      if (count.own + count.others >= perMinute) return Math.ceil(((current + 1) * MINUTE_MS - now()) / 1000);
      count.own += 1;
      return 0;
    },
    /**
     * Exchanges counts with the other replicas; to be called every `SETTLE_MS`, one call at a time. Counts that the database
     * does not take are not handed in again, since they may stand there: this process alone goes on counting them.
     */
    async settle(): Promise<void> {
      const [settling, settled] = [minute, counts];
      const rows = [...settled]
        .map(([app, { own, said }]) => ({ minute: settling, app, requests: own - said }))
        .filter(({ requests }) => requests > 0)
        // In one order, so that replicas wait for each other instead of locking each other out.
        .sort((a, b) => (a.app < b.app ? -1 : 1));
      if (rows.length === 0) return;
      for (const count of settled.values()) count.said = count.own;
      const add = db
        .insertInto('app_rates')
        .values(rows)
        .onDuplicateKeyUpdate((eb) => ({
          requests: eb('requests', '+', eb.fn<number>('values', ['requests'])),
        }));
      await add.execute();
      const totals = db.selectFrom('app_rates').select(['app', 'requests']).where('minute', '=', settling);
      for (const { app, requests } of await totals.execute()) {
        const count = settled.get(app);
        if (count !== undefined) count.others = Math.max(0, requests - count.said);
      }
      if (cleanedAt === settling) return;
      cleanedAt = settling;
      const old = db.deleteFrom('app_rates').where('minute', '<', settling - 1);
      await old.execute();
    },
  };
}
