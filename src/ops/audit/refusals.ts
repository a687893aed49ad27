import type { AttemptDetails, Audit } from './audit.ts';

/** Who was refused, and why: what begins the reason, up to a colon, is its kind. */
export type Refusal = Required<Pick<AttemptDetails, 'source' | 'user'>> & { readonly reason: string };

/** Refusals of those who may be anybody. */
export type Refusals = ReturnType<typeof createRefusals>;

/** Further callers are counted together, by the kind of the reason only. */
const MOST_CALLERS = 100;

/**
 * Counts refusals of callers that nobody knows, who could write the audit full: of one source, user and reason the first
 * stands in the audit at once, and of more in the same minute there is one row that says how many. Who goes on has a
 * row a minute. Callers beyond the first 100 are `others`.
 */
export function createRefusals(audit: Pick<Audit, 'append'>) {
  let counted = new Map<string, { readonly refusal: Refusal; more: number }>();
  const counterOf = (refusal: Refusal) => counted.get(keyOf(refusal));
  const add = (refusal: Refusal, more: number): void => {
    const known = counterOf(refusal);
    if (known === undefined) counted.set(keyOf(refusal), { refusal, more });
    else known.more += more;
  };
  return {
    /** Answers when this one is counted; `first` writes the row of one that is the first of its caller, and may fail. */
    async count(refusal: Refusal, first: () => Promise<unknown>): Promise<void> {
      if (counterOf(refusal) !== undefined) return add(refusal, 1);
      if (counted.size >= MOST_CALLERS) {
        const [kind = ''] = refusal.reason.split(':');
        return add({ source: 'others', user: '', reason: kind }, 1);
      }
      add(refusal, 0);
      await first().catch((error: unknown) => {
        add(refusal, 1);
        throw error;
      });
    },
    /** Writes what was counted since the last time; what cannot be written is counted on, and the error thrown. */
    async flush(now: number): Promise<void> {
      const rows = [...counted.values()].filter(({ more }) => more > 0);
      counted = new Map();
      const written = rows.map(async ({ refusal, more }) => {
        add(refusal, 0);
        const reason = `${refusal.reason}: ${more} more in a minute`;
        const row = { at: now, outcome: 'denied', operation: '', ...refusal, reason } as const;
        await audit.append(row).catch((error: unknown) => {
          add(refusal, more);
          throw error;
        });
      });
      await Promise.all(written);
    },
  };
}

function keyOf({ source, user, reason }: Refusal): string {
  return JSON.stringify([source, user, reason]);
}
