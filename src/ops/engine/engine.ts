import { randomUUID } from 'node:crypto';
import type { Audit } from '../audit/audit.ts';
import type { SourceRefusals } from '../audit/source-refusals.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database.ts';
import { sweepTokens } from '../http/replay-guard.ts';
import type { Context } from '../operations/operation.ts';
import type { Policy, Subject } from '../policy/policy.ts';
import type { Targets } from '../targets.ts';
import { createOutcomes } from './outcomes.ts';
import { createSweeper } from './reconciler.ts';
import { createRunner, type Runner } from './runner.ts';
import { createOperationStore } from './store.ts';
import { createWatcher } from './watcher.ts';

/** What carries operations from their preview to their end, whichever replica that end finds. */
export interface Engine {
  readonly runner: Runner;
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
  readonly refusals: SourceRefusals;
  readonly clock: Clock;
  policy(): Policy;
  report(error: unknown): void;
}

const TIDY_EVERY_MS = 60_000;
/** A preview can no longer matter to anyone a day after it ended. */
const PREVIEWS_KEPT_MS = 86_400_000;

/** Puts the engine of one replica together. */
export function createEngine(parts: EngineParts): Engine {
  const { db, audit, targets, refusals, clock, policy, report } = parts;
  const owner = randomUUID();
  const store = createOperationStore(db);
  const outcomes = createOutcomes(db);
  const watcher = createWatcher({ store, clock, owner, report });
  const contextFor = (subject: Subject): Context => ({
    subject,
    policy: policy(),
    targets,
    operations: store,
    outcomes,
    now: clock.now(),
  });
  const sweeper = createSweeper({ store, watcher, audit, clock, owner, report, contextFor });
  let tidyAt = 0;
  return {
    runner: createRunner({ store, watcher, clock, owner, report }),
    contextFor,
    async sweep() {
      await sweeper.sweep();
      const now = clock.now();
      if (now < tidyAt) return;
      tidyAt = now + TIDY_EVERY_MS;
      await refusals.flush(now);
      await sweepTokens(db, now);
      await store.dropPreviews(now - PREVIEWS_KEPT_MS);
    },
    async close() {
      await watcher.close();
      await store.release(owner);
    },
  };
}
