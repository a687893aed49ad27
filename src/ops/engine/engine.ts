import type { Audit } from '../audit/audit.ts';
import type { Operations } from '../operations/generations.ts';
import type { Context } from '../operations/operation.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Policy } from '../policy/policy.ts';
import type { Records } from '../records.ts';
import type { Targets } from '../targets/targets.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { type CodeTries, createCodeTries } from './code-tries.ts';
import { createLimitedReads, type LimitedReads } from './limits.ts';
import { createSweep } from './reconciler.ts';
import { createRunner } from './runner.ts';
import { createOperationStore, type OperationStore } from './store.ts';
import { createWatcher, type Replica } from './watcher.ts';

/** What the replicas of the platform share. */
export interface Tables {
  readonly store: OperationStore;
  readonly codeTries: CodeTries;
  readonly limitedReads: LimitedReads;
  readonly outbox: Pick<Outbox, 'cancel' | 'drop'>;
  readonly audit: Audit;
}

/** What else the engine of a replica works with. */
export interface EngineParts extends Pick<Replica, 'clock' | 'report'> {
  readonly targets: Pick<Targets, 'reachOf'>;
  policy(): Policy;
  readonly operations: Operations;
  /** Once a minute: forgets what the other parts of the platform keep no longer. */
  tidy(now: number): Promise<void>;
}

const TIDY_EVERY_MS = 60_000;
/** A preview that ended, or a message that left the outbox, can no longer matter to anyone a day later. */
const KEPT_MS = 86_400_000;

/** The engine of one replica. */
export type Engine = ReturnType<typeof createEngine>;

interface TableParts extends Pick<Tables, 'outbox' | 'audit'> {
  readonly records: Records;
  /** The name that the leases of this replica bear. */
  readonly owner: string;
  /** An outcome was put into the outbox, due at that time; Unix milliseconds. */
  onOutcome(dueAt: number): void;
}

/** Opens the tables of the database that the engine of one replica works on. */
export function openTables({ records, owner, onOutcome, outbox, audit }: TableParts): Tables {
  return {
    store: createOperationStore(records, owner, onOutcome),
    codeTries: createCodeTries(records.db),
    limitedReads: createLimitedReads(records.db),
    outbox,
    audit,
  };
}

/** Puts together what carries operations from their preview to their end, whichever replica that end finds. */
export function createEngine(tables: Tables, parts: EngineParts) {
  const { targets, clock } = parts;
  const { store, codeTries, limitedReads, outbox, audit } = tables;
  const replica: Replica = { ...parts, store, codeTries };
  const watcher = createWatcher(replica);
  const contextFor = (user: string, unit: string): Context => ({
    ...targets.reachOf(parts.policy(), unit),
    user,
    now: clock.now(),
  });
  const takeUp = createSweep({ ...parts, ...replica, audit, watcher, contextFor });
  let tidyAt = 0;
  return {
    runner: createRunner({ ...replica, watcher, audit }),
    acknowledgements: createAcknowledgements({ ...parts, store, outbox }),
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
