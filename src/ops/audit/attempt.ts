import type { Audit, AuditEntry } from './audit.ts';
import type { AuditOutcome } from './chain.ts';

/** What is known of an attempt. */
export type AttemptDetails = Omit<AuditEntry, 'at' | 'outcome' | 'ms'>;

/** One thing that somebody tried, on its way into the audit. */
export interface Attempt {
  /** When it began; Unix milliseconds. */
  readonly startedAt: number;
  /** The same attempt, of which more is known. */
  with(details: Partial<AttemptDetails>): Attempt;
  /** Answers when the entry is committed. */
  record(outcome: AuditOutcome, reason?: string): Promise<void>;
}

/** Begins an attempt at `startedAt`; each record says how many milliseconds it has taken by then. */
export function createAttempt(
  audit: Audit,
  clock: { now(): number },
  startedAt: number,
  details: AttemptDetails,
): Attempt {
  return {
    startedAt,
    with: (more) => createAttempt(audit, clock, startedAt, { ...details, ...more }),
    record: (outcome, reason = '') =>
      audit.append({ ...details, at: clock.now(), outcome, ms: clock.now() - startedAt, reason }),
  };
}
