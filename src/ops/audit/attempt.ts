import type { Audit, AuditEntry } from './audit.ts';
import type { AuditOutcome } from './chain.ts';

/** What is known of an attempt. */
export type AttemptDetails = Omit<AuditEntry, 'at' | 'outcome' | 'ms'>;

/** One thing that somebody tried, on its way into the audit. */
export type Attempt = ReturnType<typeof createAttempt>;

/** Begins an attempt at `startedAt` (Unix milliseconds); each record says how many milliseconds it has taken by then. */
export function createAttempt(
  audit: Audit,
  clock: { now(): number },
  startedAt: number,
  known: AttemptDetails,
) {
  let details = known;
  return {
    startedAt,
    /** More is known of it, which every record from now on says. */
    note(more: Partial<AttemptDetails>): void {
      details = { ...details, ...more };
    },
    /** Answers when the entry is committed. */
    record: (outcome: AuditOutcome, reason = ''): Promise<void> =>
      audit.append({ ...details, at: clock.now(), outcome, ms: clock.now() - startedAt, reason }),
  };
}
