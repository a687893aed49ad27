import { type Audit, createAttempt } from '../audit/audit.ts';
import type { Operations } from '../operations/generations.ts';
import type { ChangeOperation, Context, Finding } from '../operations/operation.ts';
import { lookWithin } from './look.ts';
import { changeOf, detailsOf, type OperationRow, previewHash } from './operation-row.ts';
import { putOff } from './put-off.ts';
import type { Replica, Started, Watcher } from './watcher.ts';

interface SweepParts extends Replica {
  readonly watcher: Watcher;
  readonly audit: Audit;
  readonly operations: Operations;
  contextFor(user: string, unit: string): Context;
}

const NOT_KNOWN = '不知道有没有执行';

/**
 * Makes one round of taking up what a replica left behind when it died, and finding out the truth about it. A round
 * answers when every abandoned row is finished or being watched.
 */
export function createSweep(parts: SweepParts) {
  const { store, watcher, audit, clock, report, operations, contextFor } = parts;
  const settle = async (row: OperationRow): Promise<void> => {
    const context = contextFor(row.user, row.unit);
    const change = changeOf(row);
    const attempt = createAttempt(audit, clock, change.startedAt, detailsOf(row));
    const end = async (state: 'failed' | 'unknown', ending: string): Promise<void> => {
      const text = `${operations.titleOf(row.operation)} ${row.target}：${ending}`;
      const now = clock.now();
      await attempt.record(state, text);
      await store.finish(row.id, { state, text, now, tellAt: now });
    };
    const known = row.state === 'started' ? NOT_KNOWN : '已提交';
    const implementation = changeFor(operations, row);
    if (implementation === undefined) {
      report(new Error(`no operation ${row.operation} is here that takes the input of one that is running`));
      // Another replica may have it, or this one may get it back.
      if (await putOff(parts, change, known)) return;
      return end('unknown', `${known}，平台上已没有这个操作，请自行确认`);
    }
    const started: Started = { change, implementation, context, attempt };
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
      return await lookWithin(clock, () => implementation.reconcile(context, change));
    } catch (error) {
      report(error);
      const isPutOff = await putOff(parts, change, NOT_KNOWN);
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

/**
 * The code to look after a change with: that which it began with, else what stands under its name now, if that takes the
 * same input. Undefined where neither is here.
 */
function changeFor(operations: Operations, row: OperationRow): ChangeOperation | undefined {
  const { operation: name, input } = row;
  const begun = operations
    .versionsOf(name)
    .find(({ definition }) => previewHash(row, definition) === row.hash);
  const found = (begun ?? operations.find(name))?.operation;
  if (found?.kind !== 'change') return undefined;
  // The input is what its own schema made of what was sent, which need not be what the schema takes.
  return begun !== undefined || found.input.safeParse(JSON.parse(input)).success ? found : undefined;
}
