import { Queue } from 'bullmq';
import type { Redis } from '../../server/redis.ts';
import { type Lane, lanes } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { type Head, headsOf } from './head-store.ts';
import { laneOf } from './lines.ts';

/** What scheduling needs. */
export interface SchedulerParts {
  readonly db: Database;
  /** A connection that waits for Redis; what is added is bounded by the scheduler itself. */
  readonly redis: Redis;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Hands heads of lines to BullMQ. */
export interface Scheduler {
  readonly queues: readonly Queue[];
  /** Hands over who is next in these lines. Never throws: what Redis does not take is swept up. */
  schedule(lines: readonly string[]): Promise<void>;
  /**
   * Adds a job for each, or for the first of a call; one that is there already stays as it is. Never throws. `calls` are
   * those that have their job, when more pages follow.
   */
  add(heads: readonly Head[], calls?: Set<string>): Promise<void>;
  close(): Promise<void>;
}

/** The name of a lane's queue. */
export function queueName(lane: Lane): string {
  return `push-${lane}`;
}

/** BullMQ refuses a job id that is a number. */
export const jobId = {
  of: (delivery: number): string => `d${delivery}`,
  read: (id: string | undefined): number => Number(id?.slice(1)),
};

/** So many lists of jobs may wait for Redis to answer; more are left to the sweep, so that nothing piles up here. */
const PENDING = 20;
const PATIENCE_MS = 1000;
const LINES = 1000;

/** Makes the three queues. A job holds nothing but the id of its delivery, and is removed when it has run. */
export function createScheduler({ db, redis, now, onError }: SchedulerParts): Scheduler {
  const options = {
    connection: redis,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    streams: { events: { maxLen: 100 } },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  };
  const queues = new Map(lanes.map((lane) => [lane, new Queue(queueName(lane), options)]));
  for (const queue of queues.values()) queue.on('error', onError);
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();

  const addTo = async (lane: Lane, heads: readonly Head[]): Promise<void> => {
    const queue = queues.get(lane);
    if (queue === undefined || redis.status !== 'ready' || pending >= PENDING) return;
    pending += 1;
    const at = now();
    const jobs = heads.map(({ id, dueAt }) => ({
      name: 'send',
      data: {},
      opts: { jobId: jobId.of(id), ...(dueAt > at && { delay: dueAt - at }) },
    }));
    const added = queue.addBulk(jobs).then(
      () => {},
      (error: unknown) => onError(error),
    );
    await within(
      PATIENCE_MS,
      added.finally(() => {
        pending -= 1;
      }),
    );
  };
  const add = async (heads: readonly Head[], calls = new Set<string>()): Promise<void> => {
    const first = firstOfEach(heads, now(), calls);
    const byLane = Map.groupBy(first, ({ line }) => laneOf(line));
    await Promise.all([...byLane].map(([lane, some]) => addTo(lane, some)));
  };
  const scheduleAll = async (lines: readonly string[]): Promise<void> => {
    const calls = new Set<string>();
    for (let from = 0; from < lines.length; from += LINES) {
      await add(await headsOf(db, lines.slice(from, from + LINES)), calls);
    }
  };
  return {
    queues: [...queues.values()],
    add,
    schedule(lines) {
      const scheduled = scheduleAll([...new Set(lines)]).catch(onError);
      last = Promise.all([last, scheduled]).then(() => {});
      return scheduled;
    },
    async close() {
      await within(PATIENCE_MS, last);
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
    },
  };
}

/** Of those whom one call can serve at the same time the first: its job takes the others along. */
function firstOfEach(heads: readonly Head[], now: number, calls: Set<string>): readonly Head[] {
  return heads
    .toSorted((one, other) => one.id - other.id)
    .filter(({ messageId, dueAt, shared }) => {
      const call = `${messageId} ${dueAt > now ? dueAt : ''}`;
      if (shared === 0) return true;
      return !calls.has(call) && calls.add(call);
    });
}

/** Waits for a promise, but not longer than so many ms. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
