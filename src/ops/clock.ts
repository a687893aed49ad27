import { setTimeout as sleep } from 'node:timers/promises';

/** Time as the platform knows it: Unix milliseconds, and waiting for some of them. */
export interface Clock {
  now(): number;
  /** Answers after so many milliseconds, or at once when `signal` is aborted; a wait keeps no process alive. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: Date.now,
  wait: (milliseconds, signal) =>
    sleep(milliseconds, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined),
};
