import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/ops/clock.ts';

/** A clock that stands still until somebody waits for it, and then goes from one end of a wait to the next. */
export interface SteppedClock extends Clock {
  /** Goes on until that work has ended, and answers what came of it. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Goes on by so many milliseconds. */
  pass(milliseconds: number): Promise<void>;
}

/** Makes one; it never goes on while `isBusy`, which says that something is under way that no clock measures. */
export function steppedClock(start: number, isBusy: () => boolean): SteppedClock {
  let time = start;
  const waits = new Set<{ readonly at: number; end(): void }>();
  /** All that can happen without time has happened. */
  const quiet = async (): Promise<void> => {
    for (let idle = 0; idle < 3; idle += 1) {
      await setImmediate();
      if (isBusy()) idle = 0;
    }
  };
  const step = (limit: number): boolean => {
    const [next] = [...waits].sort((one, other) => one.at - other.at);
    if (next === undefined || next.at > limit) return false;
    time = Math.max(time, next.at);
    next.end();
    return true;
  };
  return {
    now: () => time,
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        const wait = {
          at: time + milliseconds,
          end() {
            waits.delete(wait);
            resolve();
          },
        };
        waits.add(wait);
        signal?.addEventListener('abort', wait.end);
        if (signal?.aborted) wait.end();
      }),
    async until(work) {
      let isOver = false;
      const end = (): void => {
        isOver = true;
      };
      work.then(end, end);
      await quiet();
      while (!isOver) {
        step(Number.POSITIVE_INFINITY);
        await quiet();
      }
      return work;
    },
    async pass(milliseconds) {
      const until = time + milliseconds;
      do await quiet();
      while (step(until));
      time = until;
    },
  };
}
