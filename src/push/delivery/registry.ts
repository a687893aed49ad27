import type { Database } from '../database.ts';
import type { Results } from '../results/results.ts';
import { createBatcher } from './batcher.ts';
import { isFinal, type Record } from './record.ts';
import { closeMessages, lockOurs, writeAttempts, writeDeliveries } from './record-store.ts';
import { transact } from './transaction.ts';

/** What noting needs. */
export interface RegistryParts {
  readonly db: Database;
  readonly results: Results;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Told after the commit of messages of which nothing is open any more. */
  readonly onFinished: (messageIds: readonly string[]) => void;
  /** Told after the commit of lines that somebody else may be next in. */
  readonly onFreed: (lines: readonly string[]) => void;
}

/** Where it is noted what became of calls. */
export interface Registry {
  /**
   * Notes it, together with what others note at this moment, and tries until the database has taken it. Resolves to
   * those that were noted: the lease of the rest was over, and somebody else has taken them up.
   */
  note(records: readonly Record[]): Promise<readonly Record[]>;
  /** Notes it no more: whoever waits for the database is refused. */
  close(): void;
}

const CALLS_IN_A_BATCH = 50;
const LONGEST_WAIT_MS = 1000;

/** Makes the one place where deliveries end. */
export function createRegistry(parts: RegistryParts): Registry {
  const { db, results, now, sleep, onError, onFinished, onFreed } = parts;
  let isClosed = false;

  const commit = async (records: readonly Record[]): Promise<readonly Record[]> => {
    const { noted, finished } = await transact(db, async (tx) => {
      const noted = await lockOurs(tx, records);
      if (noted.length === 0) return { noted, finished: [] };
      const at = now();
      await writeDeliveries(tx, noted, at);
      await writeAttempts(tx, noted);
      const finished = await closeMessages(tx, countEnded(noted), at);
      if (finished.length > 0) await results.note(tx, finished);
      return { noted, finished };
    });
    if (finished.length > 0) {
      results.wake();
      onFinished(finished);
    }
    onFreed([...new Set(records.filter(({ state }) => state !== 'sending').map(({ line }) => line))]);
    return noted;
  };

  /** What WeCom has done is not forgotten because the database is away. A lost answer to a commit is seen by the lease. */
  const persist = async (records: readonly Record[]): Promise<readonly Record[]> => {
    for (let wait = 50; !isClosed; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      await sleep(wait);
      try {
        return await commit(records);
      } catch (error) {
        onError(error);
      }
    }
    throw new Error('what became of a call could not be noted before the end; its lease will end');
  };

  const note = createBatcher<readonly Record[], readonly Record[]>(
    async (lists) => {
      try {
        const noted = new Set(await commit(lists.flat()));
        return lists.map((records) => records.filter((each) => noted.has(each)));
      } catch (error) {
        onError(error);
        // One that the database refuses must not hold up the others.
        return lists.map(persist);
      }
    },
    { size: CALLS_IN_A_BATCH, parallel: 2 },
  );
  return {
    note,
    close() {
      isClosed = true;
    },
  };
}

function countEnded(records: readonly Record[]): ReadonlyMap<string, number> {
  const ended = new Map<string, number>();
  for (const { messageId, state } of records) {
    if (isFinal(state)) ended.set(messageId, (ended.get(messageId) ?? 0) + 1);
  }
  return ended;
}
