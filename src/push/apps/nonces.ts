import { randomBytes } from 'node:crypto';
import { createBatcher } from '../../server/batch.ts';
import type { Database } from '../database/database.ts';
import { type Claim, claimNonces, deleteNonces } from './nonce-store.ts';

/** Nonces that were used; they stand in MySQL, so that none works twice, in whatever replica, after whatever crash. */
export interface Nonces {
  /** Whether the nonce is new; it is used from then on. `until` (Unix ms): no request that carries it is taken after that. */
  use(app: string, nonce: string, until: number): Promise<boolean>;
  /** Forgets those whose time is over. */
  prune(): Promise<void>;
}

const MOST_AT_ONCE = 500;
/** The clocks of replicas differ. */
const LONGER_MS = 60_000;

/** Makes the store. What comes while one statement is under way goes into the next, all of it together. */
export function createNonces(db: Database, now: () => number): Nonces {
  const use = createBatcher<Claim, boolean>(
    async (claims) => {
      const won = await claimNonces(db, claims);
      return claims.map((claim) => won.has(claim));
    },
    { size: MOST_AT_ONCE, parallel: 1 },
  );
  return {
    use: (app, nonce, until) =>
      use({ app, nonce, claim: randomBytes(8).toString('hex'), expires_at: until + LONGER_MS }),
    prune: () => deleteNonces(db, now()),
  };
}
