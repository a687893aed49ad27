import type { AcknowledgeName, InputOf, OutputOf } from '../../contract/platform.ts';
import { Refused } from '../../errors.ts';
import type { Attempt } from '../audit/audit.ts';
import type { Operations } from '../operations/generations.ts';
import { type Outbox, outcomeKey } from '../outbox/outbox.ts';
import type { Subject } from '../policy/policy.ts';
import { detailsOf, type OperationRow } from './operation-row.ts';
import type { OperationStore } from './store.ts';

const PENDING = '正在执行，完成后会告诉你';

/** Who acknowledges, and when; Unix milliseconds. */
interface Acknowledging {
  readonly subject: Subject;
  readonly now: number;
}

/**
 * Every acknowledgement of the contract; one that is missing here is a type error. It records in the audit itself what it
 * takes away from anybody; that it was asked is not worth a row. Throws Refused or InputError.
 */
export type Acknowledgements = {
  readonly [N in AcknowledgeName]: (
    by: Acknowledging,
    input: InputOf<N>,
    attempt: Attempt,
  ) => Promise<OutputOf<N>>;
};

interface AcknowledgementParts {
  readonly store: OperationStore;
  readonly outbox: Pick<Outbox, 'cancel'>;
  readonly operations: Operations;
}

/** Makes them over the tables of operations and outcomes. */
export function createAcknowledgements({
  store,
  outbox,
  operations,
}: AcknowledgementParts): Acknowledgements {
  return {
    async 'operation.settle'({ subject, now }, { id }, attempt) {
      let row: OperationRow | undefined;
      try {
        await store.cancelPreview(id, subject.user, now);
        row = await store.find(id);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // Nobody else will tell its user, who asked.
        return {
          state: 'never',
          text: '操作的记录被改过，平台不能确定有没有执行，请自行确认，并告诉运维负责人',
        };
      }
      // Somebody else's operation looks like none: its id is not for guessing.
      if (row === undefined || row.user !== subject.user) return { state: 'never', text: '没有执行' };
      switch (row.state) {
        case 'done':
        case 'failed':
        case 'unknown':
          return { state: row.state, text: row.text ?? '' };
        case 'started':
        case 'applied':
          return { state: 'pending', text: row.text === null ? PENDING : `${row.text}\n（${PENDING}）` };
        default:
          // Asked again after a crash it is recorded twice, but it is never left out.
          if (row.started_at === null) {
            attempt.note(detailsOf(row));
            await attempt.record('cancelled', 'settled');
          }
          return {
            state: 'never',
            text: `${operations.titleOf(row.operation)} ${row.target}：${row.text ?? '没有执行，平台没有收到确认'}`,
          };
      }
    },
    async 'operation.received'({ subject, now }, { ids }) {
      await outbox.cancel(ids.map(outcomeKey), subject.user, now);
      return {};
    },
  };
}
