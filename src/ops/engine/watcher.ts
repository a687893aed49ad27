import type { Answer } from '../../contract/answer.ts';
import type { Attempt } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { ChangeOperation, ConfirmedChange, Context, Observation } from '../operations/operation.ts';
import type { CodeTries } from './code-tries.ts';
import { LOOK_MS, lookWithin } from './look.ts';
import { createProgress, textOf } from './progress.ts';
import { putOff } from './put-off.ts';
import { type Ending, LEASE_MS, type OperationStore } from './store.ts';

const LOOK_EVERY_MS = 300;
const MARGIN_MS = 1000;
/** Once nobody waits in front of the phone any more. */
const LOOK_LATER_MS = 1000;
/** How long after its confirmation a change is watched before the user is told how it stands. */
const WATCH_FOR_MS = 120_000;

/** How long a receipt may take before the user is told an outcome that went out in an answer. */
export const GRACE_MS = 10_000;

/** What each part of one replica's engine works with. */
export interface Replica {
  readonly store: OperationStore;
  readonly codeTries: CodeTries;
  readonly clock: Clock;
  /** Hears of what failed and is tried again, or found out later. */
  report(error: unknown): void;
}

/** A change that was confirmed, and what it is carried out with. */
export interface Started {
  readonly change: ConfirmedChange;
  readonly implementation: ChangeOperation;
  readonly context: Context;
  readonly attempt: Attempt;
  /** What the effect itself has told, if anything: the first look. */
  readonly seen?: Observation | undefined;
}

/** How a change has ended. */
type Ended = Pick<Ending, 'text'> & { readonly state: Exclude<Ending['state'], 'cancelled'> };

function endOf(seen: Observation): Ended {
  return { state: (seen.final && seen.outcome) || 'done', text: textOf(seen) };
}

/** Follows changes from their effect to their end. */
export type Watcher = ReturnType<typeof createWatcher>;

/** Makes the watcher of one replica. A look that fails is repeated. */
export function createWatcher(replica: Replica) {
  const { store, clock, report } = replica;
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();

  const look = ({ change, implementation, context }: Started): Promise<Observation | undefined> =>
    lookWithin(clock, () => implementation.observe(context, change)).catch(
      (error: unknown) => void report(error),
    );

  /** Looks until there is an end; undefined when the row was taken over or put off, or the platform stops. */
  const follow = async (started: Started): Promise<Ended | undefined> => {
    const { change, implementation } = started;
    const { followSeconds } = implementation;
    const watchForMs = followSeconds === undefined ? WATCH_FOR_MS : followSeconds * 1000;
    const progress = followSeconds === undefined ? undefined : createProgress(replica, change);
    let leasedUntil = 0;
    let told = started.seen;
    while (!stopping.signal.aborted) {
      const now = clock.now();
      // It is to last for the look that follows, and for what that comes to.
      if (leasedUntil - now < LOOK_MS + MARGIN_MS) {
        const isRenewed = await store.renew(change.id, now).catch((error: unknown) => {
          // It is ours for a while yet.
          if (now >= leasedUntil) throw error;
          report(error);
        });
        if (isRenewed === false) return undefined;
        if (isRenewed) leasedUntil = now + LEASE_MS;
      }
      const seen = told ?? (await look(started));
      told = undefined;
      const age = clock.now() - change.startedAt;
      if (seen?.final || (seen && age >= watchForMs)) return endOf(seen);
      if (seen) await progress?.(seen).catch(report);
      if (age >= watchForMs) {
        if (await putOff(replica, change, '已提交')) return undefined;
        return { state: 'unknown', text: `${change.target}：已提交，但一天里一直看不到实际状态，请自行确认` };
      }
      await clock.wait(age < 10_000 ? LOOK_EVERY_MS : LOOK_LATER_MS, stopping.signal);
    }
    if (implementation.stop === undefined) return undefined;
    await implementation.stop(change);
    const last = await look(started);
    return last?.final ? endOf(last) : undefined;
  };

  return {
    /** Answers how a change that has had its effect ended, or at `until` (Unix milliseconds) that it was submitted; it is followed on. */
    async watch(started: Started, until: number): Promise<Answer> {
      const { change, attempt, implementation } = started;
      let answered = false;
      const end = async () => {
        const found = await follow(started).catch(async (error: unknown) => void report(error));
        if (found === undefined) {
          await implementation.stop?.(change);
          return undefined;
        }
        const now = clock.now();
        // Recorded first: a crash in between may record an end twice, but never leave one out.
        await attempt.record(found.state, found.text);
        await store.finish(change.id, { ...found, now, tellAt: answered ? now : now + GRACE_MS });
        return found;
      };
      const ended = end().catch((error: unknown) => void report(error));
      running.add(ended);
      void ended.then(() => running.delete(ended));
      const late = clock.wait(Math.max(0, until - clock.now())).then(() => undefined);
      const found = await Promise.race([ended, late]);
      answered = true;
      if (found === undefined) return { state: 'accepted', text: implementation.submitted(change) };
      if (found.state === 'done') return { state: 'done', text: found.text };
      return { state: found.state, message: found.text };
    },
    /** Stops following and answers when nothing is written any more; the leases are for the caller to give back. */
    async close(): Promise<void> {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
