import type { Database } from '../database/database.ts';
import { LEASE_MS, renewLeases } from './line-store.ts';

/** How often leases are renewed, in ms. */
export const RENEW_MS = LEASE_MS / 3;
/** So long before its end a lease is not relied upon any more, in ms. */
const MARGIN_MS = 2000;
/** A call of WeCom is given up after so many ms; it must not outlast the lease. */
const CALL_MS = 5000;

/** What this process has claimed and not finished. */
export type Leases = ReturnType<typeof createLeases>;

/** Keeps leases alive while calls take long; who is killed, or stands still, loses them. */
export function createLeases(db: Database, now: () => number) {
  const held = new Map<string, { readonly owner: string; until: number }>();
  return {
    /**
     * From now on the leases of these lines, claimed at `since` (Unix ms) or later, are renewed, until the function that
     * comes back is called.
     */
    hold(lines: readonly string[], owner: string, since: number): () => void {
      const lease = { owner, until: since + LEASE_MS - MARGIN_MS };
      for (const line of lines) held.set(line, lease);
      return () => {
        for (const line of lines) if (held.get(line) === lease) held.delete(line);
      };
    },
    /**
     * Whether this owner may still send: false once a lease could end during the call, since somebody else may have it
     * then, and so may we, under another name.
     */
    isHeld(line: string, owner: string): boolean {
      const lease = held.get(line);
      return lease?.owner === owner && lease.until - CALL_MS > now();
    },
    /** Renews what is held; to be called more than twice in the length of a lease. */
    async renew(): Promise<void> {
      const at = now();
      const alive = [...held].filter(([, { until }]) => until > at);
      await renewLeases(db, new Map(alive.map(([line, { owner }]) => [line, owner])));
      for (const [, lease] of alive) lease.until = at + LEASE_MS - MARGIN_MS;
    },
  };
}
