import type { Answer } from '../../contract/answer.ts';
import type { ChangeName, InputOf } from '../../contract/index.ts';
import { Refused } from '../../errors.ts';
import type { Attempt } from '../audit/attempt.ts';
import type { Clock } from '../clock.ts';
import { canonicalJson } from '../json.ts';
import type { ChangeOperation, Context } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import { confirm } from './confirm.ts';
import { previewOf, storePreview } from './preview.ts';
import { changeOf, detailsOf } from './row.ts';
import type { OperationRow, OperationStore } from './store.ts';
import { LEASE_MS, type Watcher } from './watcher.ts';

/** A change that somebody asks for. */
export interface RequestedChange<N extends ChangeName> {
  readonly name: N;
  readonly implementation: ChangeOperation<N>;
  readonly input: InputOf<N>;
  readonly context: Context;
  readonly attempt: Attempt;
}

/** What was confirmed, and how. */
export interface Confirmed {
  readonly id: string;
  readonly hash: string;
  readonly code: string | null;
}

/** Previews and runs changes. All throw Refused, InputError, TargetFailed, or the database's own errors. */
export interface Runner {
  preview<N extends ChangeName>(asked: RequestedChange<N>): Promise<Answer>;
  run<N extends ChangeName>(asked: RequestedChange<N>, confirmed: Confirmed): Promise<Answer>;
}

/** How long the user waits for the end of a change before reading that it was submitted. */
const ANSWER_WITHIN_MS = 3000;

/** Makes the runner of one replica, whose leases bear `owner`. */
export function createRunner(parts: {
  readonly store: OperationStore;
  readonly watcher: Watcher;
  readonly clock: Clock;
  readonly owner: string;
  report(error: unknown): void;
}): Runner {
  const { store, watcher, clock, owner } = parts;

  const preview: Runner['preview'] = async ({ name, implementation, input, context, attempt }) => {
    const { user } = context.subject;
    const found = await implementation.inspect(context, input);
    const of = { user, operation: name, unit: input.unit, input, now: clock.now() };
    const row = await storePreview(store, of, found);
    const { target, before, after } = found;
    await attempt.with({ target, before, after, hash: row.hash }).record('previewed');
    return { state: 'preview', preview: previewOf(row) };
  };

  /** The change was refused by its object: it certainly did not happen, and the same thing may be confirmed afresh. */
  const refuse = async <N extends ChangeName>(
    asked: RequestedChange<N>,
    row: OperationRow,
    error: Refused,
  ) => {
    const ending = {
      state: 'cancelled',
      text: `没有执行：${error.message}`,
      now: clock.now(),
      tellAt: null,
    } as const;
    await store.finish(row.id, owner, ending);
    await asked.attempt.record('cancelled', error.reason);
    const fresh = error.reason === 'moved' ? await preview(asked).catch(() => undefined) : undefined;
    const { reason, message } = error;
    return {
      state: 'refused',
      reason,
      message: reason === 'moved' ? `${message}，没有执行` : message,
      ...(fresh?.state === 'preview' && { preview: fresh.preview }),
    } satisfies Answer;
  };

  const execute = async <N extends ChangeName>(
    asked: RequestedChange<N>,
    row: OperationRow,
  ): Promise<Answer> => {
    const { implementation, context, attempt } = asked;
    const change = changeOf<N>(row);
    try {
      // Right before the effect: a replica that was stopped for longer than its lease must not act any more.
      const lease = { owner, until: clock.now() + LEASE_MS };
      if (!(await store.renew(row.id, lease, clock.now()))) return unsure;
      await implementation.apply(context, change);
    } catch (error) {
      if (error instanceof Refused) return refuse(asked, row, error);
      if (!(error instanceof TargetFailed) || error.mayHaveHappened) throw error;
      const text = `没有执行：${error.message}`;
      const now = clock.now();
      await attempt.record('failed', error.message);
      await store.finish(row.id, owner, { state: 'failed', text, now, tellAt: now + watcher.graceMs });
      return { state: 'failed', message: text };
    }
    await store.markApplied(row.id, owner);
    return watcher.watch(
      { row, change, implementation, context, attempt },
      attempt.startedAt + ANSWER_WITHIN_MS,
    );
  };

  return {
    preview,
    async run(asked, { id, hash, code }) {
      const { name, input, context } = asked;
      const match = {
        id,
        hash,
        code,
        user: context.subject.user,
        operation: name,
        input: canonicalJson(input),
      };
      const now = clock.now();
      const row = await confirm(store, match, { owner, until: now + LEASE_MS }, now);
      const attempt = asked.attempt.with(detailsOf(row));
      try {
        await attempt.record('allowed');
      } catch (error) {
        const text = '没有执行：审计记录写不进去';
        await store.finish(id, owner, { state: 'cancelled', text, now, tellAt: null });
        throw error;
      }
      // From here on only what is known to be true may be answered; the sweeper finds out the rest.
      return execute({ ...asked, attempt }, row).catch((error: unknown) => {
        parts.report(error);
        return unsure;
      });
    },
  };
}

/** Unlike `unknown`, which is an end, this promises one. */
const unsure: Answer = { state: 'accepted', text: '没有收到确切的结果，正在确认，稍后告诉你' };
