import { createBatcher } from '../../server/batch.ts';
import { transact } from '../../server/database.ts';
import type { Database } from '../database/database.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { isFinal, type Record } from './record.ts';
import { closeMessages, type Ended, lockOurs, writeAttempts, writeDeliveries } from './record-store.ts';
import { writeRecentSends } from './repeats-store.ts';

/** What recording results needs. */
export interface ResultRecorderParts {
  readonly db: Database;
  readonly webhooks: Webhooks;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Called after the commit with the messages of which nothing is open any more. */
  readonly onFinished: (messageIds: readonly string[]) => void;
  /** Called after the commit with the lines in which another delivery may be next. */
  readonly onFreed: (lines: readonly string[]) => void;
}

/** Records the results of calls in the database. */
export interface ResultRecorder {
  /**
   * Notes it, together with what others note at this moment, and tries until the database has taken it. Resolves to
   * those that were noted: the lease of the rest was over, and somebody else has taken them up.
   */
  note(records: readonly Record[]): Promise<readonly Record[]>;
  /** Notes it no more: whoever waits for the database is refused. */
  close(): void;
}

const LEASE_ENDED = new Error('a lease has ended before its call was noted');
const CALLS_IN_A_BATCH = 50;
const LONGEST_WAIT_MS = 1000;

/** Makes the one place where deliveries end. */
export function createResultRecorder(parts: ResultRecorderParts): ResultRecorder {
  const { db, webhooks, now, sleep, onError, onFinished, onFreed } = parts;
  let isClosed = false;

  /** At first it is taken for granted that all leases are still ours, which saves a question. */
  const commit = async (records: readonly Record[], isSure: boolean): Promise<readonly Record[]> => {
    const { noted, finished } = await transact(db, async (tx) => {
      const at = now();
      const ours = isSure ? records : await lockOurs(tx, records);
      if (ours.length === 0) return { noted: ours, finished: [] };
      if (!(await writeDeliveries(tx, ours, at))) throw LEASE_ENDED;
      await writeAttempts(tx, ours);
      await writeRecentSends(tx, ours);
      const finished = await closeMessages(tx, countEnded(ours), at);
      if (finished.length > 0) await webhooks.note(tx, finished);
      return { noted: ours, finished };
    });
    if (finished.length > 0) {
      webhooks.wake();
      onFinished(finished);
    }
    onFreed([...new Set(records.filter(({ state }) => state !== 'sending').map(({ line }) => line))]);
    return noted;
  };

  /** What WeCom has done is not forgotten because the database is away. A lost answer to a commit is seen by the lease. */
  const persist = async (records: readonly Record[]): Promise<readonly Record[]> => {
    for (let wait = 50; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await commit(records, false);
      } catch (error) {
        onError(error);
      }
      if (isClosed) break;
      await sleep(wait);
    }
    throw new Error('what became of a call could not be noted before the end; its lease will end');
  };

  const note = createBatcher<readonly Record[], readonly Record[]>(
    async (lists) => {
      try {
        const noted = new Set(await commit(lists.flat(), true));
        return lists.map((records) => records.filter((each) => noted.has(each)));
      } catch (error) {
        if (error !== LEASE_ENDED) onError(error);
        // One that the database refuses must not hold up the others.
        return lists.map(persist);
      }
    },
    { size: CALLS_IN_A_BATCH, parallel: 3 },
  );
  return {
    note,
    close() {
      isClosed = true;
    },
  };
}

function countEnded(records: readonly Record[]): ReadonlyMap<string, Ended> {
  const ended = new Map<string, Ended>();
  for (const { messageId, receivers, state } of records) {
    if (isFinal(state))
      ended.set(messageId, { count: (ended.get(messageId)?.count ?? 0) + 1, of: receivers });
  }
  return ended;
}
