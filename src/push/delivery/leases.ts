import type { Database } from '../database/database.ts';
import { LEASE_MS, renewLeases } from './claim-store.ts';

/** What this process has claimed and not finished. */
export interface Leases {
  /** From now on the lease of this delivery is renewed, until the function that comes back is called. */
  hold(id: number, owner: string): () => void;
  /** Whether we may still send: false once a lease could not be renewed in time, since somebody else may have it then. */
  isHeld(id: number): boolean;
  /** Renews what is held; to be called more than twice in the length of a lease. */
  renew(): Promise<void>;
}

/** How often leases are renewed, in ms. */
export const RENEW_MS = LEASE_MS / 3;
/** So long before its end a lease is not relied upon any more, in ms: clocks differ. */
const MARGIN_MS = 1000;

/** Keeps leases alive while calls take long; who is killed, or stands still, loses them. */
export function createLeases(db: Database, now: () => number): Leases {
  const held = new Map<number, { readonly owner: string; until: number }>();
  return {
    hold(id, owner) {
      const lease = { owner, until: now() + LEASE_MS - MARGIN_MS };
      held.set(id, lease);
      return () => {
        if (held.get(id) === lease) held.delete(id);
      };
    },
    isHeld(id) {
      const lease = held.get(id);
      return lease !== undefined && lease.until > now();
    },
    async renew() {
      const at = now();
      const alive = [...held].filter(([, { until }]) => until > at);
      if (alive.length === 0) return;
      await renewLeases(db, new Map(alive.map(([id, { owner }]) => [id, owner])), at);
      for (const [, lease] of alive) lease.until = at + LEASE_MS - MARGIN_MS;
    },
  };
}
