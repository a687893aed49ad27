import { setTimeout as sleep } from 'node:timers/promises';

/** Time as the platform knows it: Unix milliseconds, and waiting for some of them. */
export type Clock = typeof systemClock;

/** The clock of the machine. */
export const systemClock = {
  now: Date.now,
  /** Answers after so many milliseconds, or at once when `signal` is aborted; a wait keeps no process alive. */
  wait: (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    sleep(milliseconds, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined),
};
