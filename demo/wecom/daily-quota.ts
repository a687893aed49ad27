import { ApiError } from './api-error.ts';
import type { Clock } from './app.ts';

/** How many receivers message/send may have in a day, for each account that the enterprise has (protocol §4.12). */
const PER_ACCOUNT = 200;
/** The day is that of China. */
const CHINA_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/** Counts the receivers of a day. */
export interface DailyQuota {
  /** Throws 45009 when so many more are too many, and from then on until the day ends. */
  take(receivers: number): void;
}

/** Makes one that nothing is taken from yet; without a number of accounts there is no end to it. */
export function createDailyQuota(accounts: number | undefined, clock: Clock): DailyQuota {
  const most = accounts === undefined ? Number.POSITIVE_INFINITY : accounts * PER_ACCOUNT;
  let [day, taken] = [0, 0];
  return {
    take: (receivers) => {
      const today = Math.floor((clock() + CHINA_MS) / DAY_MS);
      if (today !== day) [day, taken] = [today, 0];
      // That a call which goes over it reaches nobody is not documented, and neither is the opposite.
      taken += receivers;
      if (taken <= most) return;
      taken = Number.POSITIVE_INFINITY;
      throw new ApiError(45009);
    },
  };
}
