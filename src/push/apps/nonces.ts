import { randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';
import { type Claim, claimNonces, deleteNonces } from './nonce-store.ts';

/** Nonces that were used; they stand in MySQL, so that none works twice, in whatever replica, after whatever crash. */
export interface Nonces {
  /** Whether the nonce is new; it is used from then on. `until` (Unix ms): no request that carries it is taken after that. */
  use(app: string, nonce: string, until: number): Promise<boolean>;
  /** Forgets those whose time is over. */
  prune(): Promise<void>;
}

interface Waiting {
  readonly claim: Claim;
  resolve(isNew: boolean): void;
  reject(error: unknown): void;
}

const MOST_AT_ONCE = 500;
/** The clocks of replicas differ. */
const LONGER_MS = 60_000;

/** Makes the store. What comes while one statement is under way goes into the next, all of it together. */
export function createNonces(db: Database, now: () => number): Nonces {
  let waiting: Waiting[] = [];
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(MOST_AT_ONCE);
      try {
        const won = await claimNonces(
          db,
          batch.map(({ claim }) => claim),
        );
        for (const { claim, resolve } of batch) resolve(won.has(claim));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  };
  return {
    use: (app, nonce, until) =>
      new Promise((resolve, reject) => {
        const claim = { app, nonce, claim: randomBytes(8).toString('hex'), expires_at: until + LONGER_MS };
        waiting.push({ claim, resolve, reject });
        if (!isRunning) void run();
      }),
    prune: () => deleteNonces(db, now()),
  };
}
