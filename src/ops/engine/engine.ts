import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database.ts';
import type { Context } from '../operations/operation.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Policy, Subject } from '../policy/policy.ts';
import type { Targets } from '../targets.ts';
import { type Acknowledgements, createAcknowledgements } from './acknowledgements.ts';
import { createSweeper } from './reconciler.ts';
import { createRunner, type Runner } from './runner.ts';
import { createOperationStore } from './store.ts';
import { createWatcher } from './watcher.ts';

/** What carries operations from their preview to their end, whichever replica that end finds. */
export interface Engine {
  readonly runner: Runner;
  readonly acknowledgements: Acknowledgements;
  contextFor(subject: Subject): Context;
  /** One round: abandoned operations are taken up, and once a minute old rows are dropped. */
  sweep(): Promise<void>;
  /** Stops watching and gives the leases back, so that another replica goes on at once. */
  close(): Promise<void>;
}

export interface EngineParts {
  readonly db: Database;
  readonly audit: Audit;
  readonly targets: Targets;
  readonly outbox: Outbox;
  readonly owner: string;
  readonly clock: Clock;
  policy(): Policy;
  /** An outcome was put into the outbox, due at that time; Unix milliseconds. */
  onOutcome(dueAt: number): void;
  /** Once a minute: forgets what the other parts of the platform keep no longer. */
  tidy(now: number): Promise<void>;
  report(error: unknown): void;
}

const TIDY_EVERY_MS = 60_000;
/** A preview that ended, or a message that left the outbox, can no longer matter to anyone a day later. */
const KEPT_MS = 86_400_000;

/** Puts the engine of one replica together. */
export function createEngine(parts: EngineParts): Engine {
  const { db, audit, targets, outbox, owner, clock, policy, report } = parts;
  const store = createOperationStore(db, parts.onOutcome);
  const watcher = createWatcher({ store, clock, owner, report });
  const contextFor = (subject: Subject): Context => ({
    subject,
    policy: policy(),
    targets,
    now: clock.now(),
  });
  const sweeper = createSweeper({ store, watcher, audit, clock, owner, report, contextFor });
  let tidyAt = 0;
  return {
    runner: createRunner({ store, watcher, clock, owner, report }),
    acknowledgements: createAcknowledgements(store, outbox),
    contextFor,
    async sweep() {
      await sweeper.sweep();
      const now = clock.now();
      if (now < tidyAt) return;
      tidyAt = now + TIDY_EVERY_MS;
      await store.dropPreviews(now - KEPT_MS);
      await outbox.drop(now - KEPT_MS);
      await outbox.adopt(now);
      await parts.tidy(now);
    },
    async close() {
      await watcher.close();
      await store.release(owner);
    },
  };
}
