import type { Answer } from '../../contract/answer.ts';
import { Refused } from '../../errors.ts';
import type { Audit } from '../audit/audit.ts';
import { inPlainLines } from '../foreign-text.ts';
import { canonicalJson } from '../json.ts';
import type { Observation } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import { confirm } from './confirm.ts';
import type { Limited } from './limits.ts';
import { changeOf, detailsOf, type OperationRow } from './operation-row.ts';
import { previewChange } from './preview.ts';
import type { Match } from './store.ts';
import { GRACE_MS, type Replica, type Started, type Watcher } from './watcher.ts';

/** A change that somebody asks for. */
export interface RequestedChange extends Omit<Started, 'change'> {
  readonly name: string;
  /** Of the file that it is declared in (operations/load.ts). */
  readonly definition: string;
  readonly input: { readonly unit: string };
}

function limitedOf({ name, implementation }: RequestedChange): Limited {
  return { name, operation: implementation };
}

/** What was confirmed, and how. */
export type Confirmed = Pick<Match, 'id' | 'hash' | 'code'>;

/** How long after the lease was renewed the effect may be begun: well before the lease can have gone to another replica. */
const BEGIN_WITHIN_MS = 5000;

/** How long the user waits for the end of a change before reading that it was submitted. */
const ANSWER_WITHIN_MS = 3000;

const HALTED = '审计记录被删改或丢失，平台停止一切变更（查看照常），请联系运维负责人核对后重启平台';

/** Makes what previews and runs changes for one replica. Both ways throw Refused, InputError, TargetFailed, or the database's own errors. */
export function createRunner(
  parts: Replica & { readonly watcher: Watcher; readonly audit: Pick<Audit, 'isBroken'> },
) {
  const { store, codeTries, watcher, audit, clock, report } = parts;
  const mustHold = (): void => {
    if (audit.isBroken()) throw new Refused('tampered', HALTED);
  };
  /** What was previewed is not what would happen now: nothing has happened, and this may be confirmed instead. */
  const askAgain = async (
    asked: RequestedChange,
    { reason, message }: Pick<Refused, 'reason' | 'message'>,
  ): Promise<Answer> => {
    await asked.attempt.record('cancelled', reason);
    const preview = await previewChange(parts, asked).catch(() => undefined);
    return { state: 'refused', reason, message: `${message}，没有执行`, ...(preview && { preview }) };
  };
  /** The change was refused by its object: it certainly did not happen, and the same thing may be confirmed afresh. */
  const refuse = async (
    started: RequestedChange & Started,
    { reason, message }: Refused,
  ): Promise<Answer> => {
    const text = `没有执行：${message}`;
    await store.finish(started.change.id, { state: 'cancelled', text, now: clock.now(), tellAt: null });
    if (reason === 'moved') return askAgain(started, { reason, message });
    await started.attempt.record('cancelled', reason);
    return { state: 'refused', reason, message };
  };

  const execute = async (started: RequestedChange & Started): Promise<Answer> => {
    const { change, implementation, context, attempt } = started;
    let seen: Observation | undefined;
    try {
      // The row `allowed` may have been the one that found it.
      mustHold();
      // Right before the effect: a replica that was stopped for longer than its lease must not act any more.
      const beginUntil = clock.now() + BEGIN_WITHIN_MS;
      if (!(await store.renew(change.id, clock.now()))) return unsure;
      const checkTime = () => {
        if (clock.now() > beginUntil) throw new Error(`too late for the effect of ${change.id}`);
      };
      seen = (await inPlainLines(implementation.apply(context, change, checkTime))) ?? undefined;
    } catch (error) {
      if (error instanceof Refused) return refuse(started, error);
      if (!(error instanceof TargetFailed) || error.mayHaveHappened) throw error;
      const text = `没有执行：${error.message}`;
      const now = clock.now();
      await attempt.record('failed', error.message);
      await store.finish(change.id, { state: 'failed', text, now, tellAt: now + GRACE_MS });
      return { state: 'failed', message: text };
    }
    await store.markApplied(change.id);
    return watcher.watch({ ...started, seen }, attempt.startedAt + ANSWER_WITHIN_MS);
  };

  return {
    async preview(asked: RequestedChange): Promise<Answer> {
      mustHold();
      return { state: 'preview', preview: await previewChange(parts, asked) };
    },
    async run(asked: RequestedChange, { id, hash, code }: Confirmed): Promise<Answer> {
      mustHold();
      const { name: operation, definition, context, attempt } = asked;
      const { user } = context;
      const input = canonicalJson(asked.input);
      const now = clock.now();
      let row: OperationRow;
      try {
        row = await confirm(
          { store, codeTries },
          { id, hash, code, operation, definition, user, input, limited: limitedOf(asked) },
          now,
        );
      } catch (error) {
        if (!(error instanceof Refused) || error.reason !== 'moved') throw error;
        return askAgain(asked, error);
      }
      attempt.note(detailsOf(row));
      try {
        await attempt.record('allowed');
      } catch (error) {
        const text = '没有执行：审计记录写不进去';
        await store.finish(id, { state: 'cancelled', text, now, tellAt: null });
        throw error;
      }
      // From here on only what is known to be true may be answered; the sweeper finds out the rest.
      const change = changeOf(row);
      return execute({ ...asked, change }).catch(async (error: unknown) => {
        report(error);
        await asked.implementation.stop?.(change);
        return unsure;
      });
    },
  };
}

/** Unlike `unknown`, which is an end, this promises one. */
const unsure: Answer = { state: 'accepted', text: '没有收到确切的结果，正在确认，稍后告诉你' };
