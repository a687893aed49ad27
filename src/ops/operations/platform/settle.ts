import { contract, isOperation } from '../../../contract/index.ts';
import type { ReadOperation } from '../operation.ts';

/** Closes an operation of the caller whose answer got lost, or says how it stands. */
export const settle: ReadOperation<'operation.settle'> = {
  async run({ operations, subject, now }, { id }) {
    await operations.cancelPreview(id, subject.user, now);
    const row = await operations.find(id);
    // Somebody else's operation looks like none: its id is not for guessing.
    if (row === undefined || row.user !== subject.user) return { state: 'never', text: '没有执行' };
    switch (row.state) {
      case 'done':
      case 'failed':
      case 'unknown':
        return { state: row.state, text: row.text ?? '' };
      case 'started':
      case 'applied':
        return { state: 'pending', text: '正在执行，完成后会告诉你' };
      default:
        return { state: 'never', text: `${nameOf(row)}：${row.text ?? NEVER}` };
    }
  },
};

const NEVER = '没有执行，平台没有收到确认';

function nameOf({ operation, target }: { readonly operation: string; readonly target: string }): string {
  return `${isOperation(operation) ? contract[operation].title : operation} ${target}`;
}
