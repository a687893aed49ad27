import { type ChangeName, contract, isOperation } from '../../contract/index.ts';
import { type Audit, createAttempt } from '../audit/audit.ts';
import { inPlainLines } from '../operations/foreign-text.ts';
import { changes } from '../operations/index.ts';
import type { Context, Finding } from '../operations/operation.ts';
import type { Subject } from '../policy/policy.ts';
import { changeOf, detailsOf, type OperationRow } from './operation-row.ts';
import { putOff } from './put-off.ts';
import type { Replica, Started, Watcher } from './watcher.ts';

interface SweepParts extends Replica {
  readonly watcher: Watcher;
  readonly audit: Audit;
  contextFor(subject: Subject): Context;
}

/**
 * Makes one round of taking up what a replica left behind when it died, and finding out the truth about it. A round
 * answers when every abandoned row is finished or being watched.
 */
export function createSweep(parts: SweepParts) {
  const { store, watcher, audit, clock, report, contextFor } = parts;
  const settle = async (row: OperationRow): Promise<void> => {
    const name = changeNamed(row.operation);
    const context = contextFor({ user: row.user, departments: [] });
    const change = changeOf(row);
    const attempt = createAttempt(audit, clock, change.startedAt, detailsOf(row));
    const started: Started = { change, implementation: changes[name], context, attempt };
    const end = async (state: 'failed' | 'unknown', ending: string): Promise<void> => {
      const text = `${contract[name].title} ${row.target}：${ending}`;
      const now = clock.now();
      await attempt.record(state, text);
      await store.finish(row.id, { state, text, now, tellAt: now });
    };
    if (row.state === 'started') {
      const found = await reconcile(started);
      if (found === undefined) return;
      if (found.effect === 'never') return end('failed', '没有执行，平台中断过，请重新操作');
      if (found.effect === 'unknown')
        return end('unknown', `结果不明，平台中断过；${found.text}，请自行确认`);
      await store.markApplied(row.id);
    }
    await watcher.watch(started, 0);
  };

  /** Undefined when the object cannot be seen now: the row is put off. */
  const reconcile = async ({ implementation, context, change }: Started): Promise<Finding | undefined> => {
    try {
      return await inPlainLines(implementation.reconcile(context, change));
    } catch (error) {
      report(error);
      const isPutOff = await putOff(parts, change, '不知道有没有执行');
      return isPutOff ? undefined : { effect: 'unknown', text: '一天里一直看不到实际状态' };
    }
  };

  return async (): Promise<void> => {
    // To find out what became of a change may touch its object.
    if (audit.isBroken()) return;
    const rows = await store.takeOver(clock.now());
    await Promise.all(rows.map((row) => settle(row).catch(report)));
  };
}

function changeNamed(operation: string): ChangeName {
  if (isOperation(operation) && contract[operation].kind === 'change') return operation as ChangeName;
  throw new Error(`the operation ${operation} was removed while one was running`);
}
