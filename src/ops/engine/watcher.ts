import type { Answer } from '../../contract/answer.ts';
import type { ChangeName, InputOf } from '../../contract/index.ts';
import type { Attempt } from '../audit/attempt.ts';
import type { Clock } from '../clock.ts';
import type { ChangeOperation, ConfirmedChange, Context } from '../operations/operation.ts';
import type { Ending, OperationRow, OperationStore } from './store.ts';

/** How long a row belongs to a replica that does not renew it: longer than any one request takes. */
export const LEASE_MS = 15_000;
const LOOK_EVERY_MS = 300;
/** Once nobody waits in front of the phone any more. */
const LOOK_LATER_MS = 1000;
/** How long after its confirmation a change is watched before the user is told how it stands. */
const GIVE_UP_AFTER_MS = 120_000;

/** A change that has had its effect. */
export interface Watched<N extends ChangeName> {
  readonly row: OperationRow;
  readonly change: ConfirmedChange<InputOf<N>>;
  readonly implementation: ChangeOperation<N>;
  readonly context: Context;
  readonly attempt: Attempt;
}

/** Follows changes from their effect to their end. */
export interface Watcher {
  /** How long a receipt may take before the user is told an outcome that went out in an answer; milliseconds. */
  readonly graceMs: number;
  /** Answers how the change ended, or at `until` (Unix milliseconds) that it was submitted; it is followed on. */
  watch<N extends ChangeName>(watched: Watched<N>, until: number): Promise<Answer>;
  /** Stops following and answers when nothing is written any more; the leases are for the caller to give back. */
  close(): Promise<void>;
}

/** Makes the watcher of one replica. `report` hears of looks that failed; they are repeated. */
export function createWatcher(parts: {
  readonly store: OperationStore;
  readonly clock: Clock;
  readonly owner: string;
  report(error: unknown): void;
}): Watcher {
  const { store, clock, owner } = parts;
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const graceMs = 10_000;

  /** Looks until there is an end; undefined when the row was taken over or the platform stops. */
  const follow = async <N extends ChangeName>({ row, change, implementation, context }: Watched<N>) => {
    let text = `${change.target}：已提交，但一直连不上，无法确认结果`;
    let state: Ending['state'] = 'unknown';
    let leasedUntil = 0;
    const giveUpAt = change.startedAt + GIVE_UP_AFTER_MS;
    while (!stopping.signal.aborted) {
      const now = clock.now();
      if (leasedUntil - now < LEASE_MS / 2) {
        leasedUntil = now + LEASE_MS;
        if (!(await store.renew(row.id, { owner, until: leasedUntil }, now))) return undefined;
      }
      try {
        const seen = await implementation.observe(context, change);
        ({ text, state } = { text: seen.text, state: 'done' as const });
        if (seen.final) return { text, state };
      } catch (error) {
        parts.report(error);
      }
      if (clock.now() >= giveUpAt) return { text, state };
      const early = clock.now() - change.startedAt < 10_000;
      await clock.wait(early ? LOOK_EVERY_MS : LOOK_LATER_MS, stopping.signal);
    }
    return undefined;
  };

  return {
    graceMs,
    async watch(watched, until) {
      const { row, attempt, change, implementation } = watched;
      let answered = false;
      const end = async () => {
        const found = await follow(watched);
        if (found === undefined) return undefined;
        const now = clock.now();
        // Recorded first: a crash in between may record an end twice, but never leave one out.
        await attempt.record(found.state === 'done' ? 'done' : 'unknown', found.text);
        await store.finish(row.id, owner, { ...found, now, tellAt: answered ? now : now + graceMs });
        return found;
      };
      const ended = end().catch((error: unknown) => void parts.report(error));
      running.add(ended);
      void ended.then(() => running.delete(ended));
      const waited = new AbortController();
      const found = await Promise.race([
        ended,
        clock.wait(Math.max(0, until - clock.now()), waited.signal).then(() => undefined),
      ]);
      waited.abort();
      answered = true;
      if (found === undefined) return { state: 'accepted', text: implementation.submitted(change) };
      if (found.state === 'done') return { state: 'done', text: found.text };
      return { state: 'unknown', message: found.text };
    },
    async close() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
