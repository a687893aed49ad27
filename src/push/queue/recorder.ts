import { createBatcher } from '../../server/batch.ts';
import { transact } from '../../server/database.ts';
import { isBadData } from '../../server/mysql-errors.ts';
import { addToDays } from './limits-store.ts';
import { freeLines, lockLines } from './line-store.ts';
import { laneOf } from './lines.ts';
import type { Finishing } from './queue-parts.ts';
import {
  changesOfDays,
  closeMessages,
  type Ended,
  isFinal,
  type Result,
  writeAttempts,
  writeDeliveries,
} from './record-store.ts';

/** So many deliveries go into one transaction. */
const BATCH = 1000;
/** How long a result waits for others, ms: they cost half together. */
const WAIT_MS = 5;
const LONGEST_WAIT_MS = 1000;

/** Records the results of calls in the database. */
export type Recorder = ReturnType<typeof createRecorder>;

/** Makes the one place where deliveries end. */
export function createRecorder(parts: Finishing) {
  const { db, webhooks, now, sleep, onError, onFinished } = parts;
  let isClosed = false;

  const commit = async (results: readonly Result[]): Promise<void> => {
    const finished = await transact(db, async (tx) => {
      const lines = results.map(({ member }) => member.line);
      const locked = new Map((await lockLines(tx, lines)).map((each) => [each.line, each]));
      const ours = results.filter(({ member }) => locked.get(member.line)?.owner === member.owner);
      const [first] = ours;
      if (first === undefined) return [];
      const at = now();
      await writeAttempts(tx, ours, locked.get(first.member.line)?.now ?? 0);
      await writeDeliveries(tx, ours, at);
      const free = ours.map(({ member }) => member.line);
      await freeLines(tx, free);
      const closed = await closeMessages(tx, countEnded(ours), at);
      if (closed.length > 0) await webhooks.note(tx, closed);
      await addToDays(tx, changesOfDays(ours, at));
      return closed;
    });
    if (finished.length > 0) {
      webhooks.wake();
      onFinished(finished);
    }
  };

  /**
   * What WeCom has done is not forgotten because the database is away. A commit whose answer was lost is found out: the
   * lines are not ours any more. What the database refuses for its words is recorded without them.
   */
  const persist = async (results: readonly Result[]): Promise<void> => {
    let some = results;
    for (let wait = 50; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await commit(some);
      } catch (error) {
        onError(error);
        if (isBadData(error)) some = results.map(withoutWords);
      }
      if (isClosed) break;
      await sleep(wait);
    }
    throw new Error('what became of a call could not be recorded before the end; its lease will end');
  };

  const open = (waitMs: number) =>
    createBatcher<readonly Result[], void>(
      async (lists) => {
        try {
          await commit(lists.flat());
          return lists.map(() => undefined);
        } catch (error) {
          onError(error);
          // One that the database refuses must not hold up the others.
          return lists.map(persist);
        }
      },
      { size: BATCH, parallel: 2, waitMs, weigh: (list) => list.length },
    );
  // The next alert to somebody does not wait for what other lanes record.
  const [alerts, others] = [open(0), open(WAIT_MS)];
  return {
    /**
     * Records them, together with those of others at this moment, and tries until the database has taken them. What is
     * not ours any more, because its lease was over, is left to whoever has taken it up.
     */
    async record(results: readonly Result[]): Promise<void> {
      const [first] = results;
      if (first !== undefined) await (laneOf(first.member.line) === 'alert' ? alerts : others)(results);
    },
    /** Tries no more: whoever waits for the database is refused. */
    close(): void {
      isClosed = true;
    },
  };
}

/** What matters of a result: how it ended, and that it counts. */
function withoutWords(result: Result): Result {
  const { attempt } = result;
  const bare = attempt === null ? null : { ...attempt, errmsg: '', msgid: null };
  return { ...result, msgids: null, problem: null, attempt: bare };
}

function countEnded(results: readonly Result[]): ReadonlyMap<string, Ended> {
  const ended = new Map<string, Ended>();
  for (const { member, state } of results) {
    if (!isFinal(state)) continue;
    const { message_id, receivers } = member;
    ended.set(message_id, { count: (ended.get(message_id)?.count ?? 0) + 1, of: receivers });
  }
  return ended;
}
