import type { Audit } from '../audit/audit.ts';
import type { Operations } from '../operations/generations.ts';
import type { Context } from '../operations/operation.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Policy } from '../policy/policy.ts';
import type { Records } from '../records.ts';
import type { Targets } from '../targets/targets.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { createCodeTries } from './code-tries.ts';
import { createLimitedReads } from './limits.ts';
import { createSweep } from './reconciler.ts';
import { createRunner } from './runner.ts';
import { createOperationStore } from './store.ts';
import { createWatcher, type Replica } from './watcher.ts';

export interface EngineParts extends Omit<Replica, 'store' | 'codeTries'> {
  readonly records: Records;
  /** The name that the leases of this replica bear. */
  readonly owner: string;
  readonly audit: Audit;
  readonly targets: Targets;
  readonly outbox: Outbox;
  policy(): Policy;
  readonly operations: Operations;
  /** An outcome was put into the outbox, due at that time; Unix milliseconds. */
  onOutcome(dueAt: number): void;
  /** Once a minute: forgets what the other parts of the platform keep no longer. */
  tidy(now: number): Promise<void>;
}

const TIDY_EVERY_MS = 60_000;
/** A preview that ended, or a message that left the outbox, can no longer matter to anyone a day later. */
const KEPT_MS = 86_400_000;

/** The engine of one replica. */
export type Engine = ReturnType<typeof createEngine>;

/** Puts together what carries operations from their preview to their end, whichever replica that end finds. */
export function createEngine(parts: EngineParts) {
  const { audit, targets, outbox, clock } = parts;
  const store = createOperationStore(parts.records, parts.owner, parts.onOutcome);
  const codeTries = createCodeTries(parts.records.db);
  const limitedReads = createLimitedReads(parts.records.db);
  const replica: Replica = { ...parts, store, codeTries };
  const watcher = createWatcher(replica);
  const contextFor = (user: string, unit: string): Context => ({
    ...targets.reachOf(parts.policy(), unit),
    user,
    now: clock.now(),
  });
  const takeUp = createSweep({ ...parts, ...replica, watcher, contextFor });
  let tidyAt = 0;
  return {
    runner: createRunner({ ...replica, watcher, audit }),
    acknowledgements: createAcknowledgements({ ...parts, store }),
    limitedReads,
    policy: parts.policy,
    operations: parts.operations,
    contextFor,
    now: clock.now,
    /** One round: abandoned operations are taken up, and once a minute old rows are dropped. */
    async sweep(): Promise<void> {
      await takeUp();
      const now = clock.now();
      if (now < tidyAt) return;
      tidyAt = now + TIDY_EVERY_MS;
      await store.dropPreviews(now - KEPT_MS);
      await codeTries.drop(now);
      await limitedReads.drop(now);
      await outbox.drop(now - KEPT_MS);
      await parts.tidy(now);
    },
    /** Stops watching and gives the leases back, so that another replica goes on at once. */
    async close(): Promise<void> {
      await watcher.close();
      await store.release();
    },
  };
}
