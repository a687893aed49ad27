import type { Answer } from '../../contract/answer.ts';
import type { ChangeName, InputOf } from '../../contract/index.ts';
import { Refused } from '../../errors.ts';
import type { Audit } from '../audit/audit.ts';
import { canonicalJson } from '../json.ts';
import { inPlainLines } from '../operations/foreign-text.ts';
import { TargetFailed } from '../target-failed.ts';
import { confirm } from './confirm.ts';
import { changeOf, detailsOf } from './operation-row.ts';
import { previewChange } from './preview.ts';
import type { Match } from './store.ts';
import { GRACE_MS, type Replica, type Started, type Watcher } from './watcher.ts';

/** A change that somebody asks for. */
export interface RequestedChange extends Omit<Started, 'change'> {
  readonly name: ChangeName;
  readonly input: InputOf<ChangeName>;
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
  /** The change was refused by its object: it certainly did not happen, and the same thing may be confirmed afresh. */
  const refuse = async (
    started: RequestedChange & Started,
    { reason, message }: Refused,
  ): Promise<Answer> => {
    const text = `没有执行：${message}`;
    await store.finish(started.change.id, { state: 'cancelled', text, now: clock.now(), tellAt: null });
    await started.attempt.record('cancelled', reason);
    if (reason !== 'moved') return { state: 'refused', reason, message };
    const preview = await previewChange(parts, started).catch(() => undefined);
    return { state: 'refused', reason, message: `${message}，没有执行`, ...(preview && { preview }) };
  };

  const execute = async (started: RequestedChange & Started): Promise<Answer> => {
    const { change, implementation, context, attempt } = started;
    try {
      // The row `allowed` may have been the one that found it.
      mustHold();
      // Right before the effect: a replica that was stopped for longer than its lease must not act any more.
      const beginUntil = clock.now() + BEGIN_WITHIN_MS;
      if (!(await store.renew(change.id, clock.now()))) return unsure;
      const checkTime = () => {
        if (clock.now() > beginUntil) throw new Error(`too late for the effect of ${change.id}`);
      };
      await inPlainLines(implementation.apply(context, change, checkTime));
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
    return watcher.watch(started, attempt.startedAt + ANSWER_WITHIN_MS);
  };

  return {
    async preview(asked: RequestedChange): Promise<Answer> {
      mustHold();
      return { state: 'preview', preview: await previewChange(parts, asked) };
    },
    async run(asked: RequestedChange, { id, hash, code }: Confirmed): Promise<Answer> {
      mustHold();
      const { name: operation, context, attempt } = asked;
      const { user } = context.subject;
      const match = { id, hash, code, operation, user, input: canonicalJson(asked.input) };
      const now = clock.now();
      const row = await confirm({ store, codeTries }, match, now);
      attempt.note(detailsOf(row));
      try {
        await attempt.record('allowed');
      } catch (error) {
        const text = '没有执行：审计记录写不进去';
        await store.finish(id, { state: 'cancelled', text, now, tellAt: null });
        throw error;
      }
      // From here on only what is known to be true may be answered; the sweeper finds out the rest.
      return execute({ ...asked, change: changeOf(row) }).catch((error: unknown) => {
        report(error);
        return unsure;
      });
    },
  };
}

/** Unlike `unknown`, which is an end, this promises one. */
const unsure: Answer = { state: 'accepted', text: '没有收到确切的结果，正在确认，稍后告诉你' };
