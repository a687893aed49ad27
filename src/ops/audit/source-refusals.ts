import type { Audit } from './audit.ts';

const MOST_ADDRESSES = 100;

/**
 * Counts calls from addresses that may not call, so that whoever knocks without end writes one row a minute and
 * address, and not the audit full. Of more than 100 addresses in a minute the rest are counted together.
 */
export function createSourceRefusals(audit: Audit) {
  let counts = new Map<string, number>();
  return {
    count(address: string): void {
      const known = counts.has(address) || counts.size < MOST_ADDRESSES;
      const key = known ? address : 'others';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** Writes what was counted since the last time. */
    async flush(now: number): Promise<void> {
      const counted = counts;
      counts = new Map();
      const rows = [...counted].map(([source, count]) => {
        const reason = `source: ${count} calls in a minute`;
        return audit.append({ at: now, outcome: 'denied', operation: '', source, reason });
      });
      await Promise.all(rows);
    },
  };
}
