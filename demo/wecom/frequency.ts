import type { Clock } from './app.ts';

/** At most `count` turns in any `seconds`. */
export interface Limit {
  readonly count: number;
  readonly seconds: number;
}

/** Counts turns by key over sliding windows. */
export interface Frequency {
  /** Takes a turn, unless a limit is reached; a refused turn does not count. */
  allows(key: string): boolean;
}

/** After so many turns the keys that nobody has used for the longest window are forgotten. */
const TURNS_BETWEEN_SWEEPS = 50_000;

/** Makes a counter that holds all `limits` at once; a turn costs the same however many there were. */
export function createFrequency(limits: readonly Limit[], clock: Clock): Frequency {
  const turns = new Map<string, number[]>();
  const longest = Math.max(0, ...limits.map(({ seconds }) => seconds)) * 1000;
  const most = Math.max(0, ...limits.map(({ count }) => count));
  let sinceSweep = 0;

  const sweep = (now: number): void => {
    sinceSweep = 0;
    for (const [key, times] of turns) if ((times.at(-1) ?? 0) <= now - longest) turns.delete(key);
  };

  return {
    allows: (key) => {
      if (limits.length === 0) return true;
      const now = clock();
      sinceSweep += 1;
      if (sinceSweep > TURNS_BETWEEN_SWEEPS) sweep(now);
      const times = turns.get(key) ?? [];
      // Times grow, so that the oldest of the last `count` decides.
      const isReached = ({ count, seconds }: Limit): boolean =>
        (times.at(-count) ?? Number.NEGATIVE_INFINITY) > now - seconds * 1000;
      if (limits.some(isReached)) return false;
      if (times.length >= 2 * most) times.splice(0, times.length - most);
      times.push(now);
      turns.set(key, times);
      return true;
    },
  };
}

/**
 * The same, with a block: whoever runs into a limit may do nothing for as long as its window is (protocol §4.12). Whether
 * a call during the block makes it longer is not documented; it does not.
 */
export function createBlockingFrequency(limits: readonly Limit[], clock: Clock): Frequency {
  const parts = limits.map((limit) => ({
    counter: createFrequency([limit], clock),
    ms: limit.seconds * 1000,
  }));
  const blockedUntil = new Map<string, number>();
  return {
    allows: (key) => {
      const now = clock();
      if ((blockedUntil.get(key) ?? 0) > now) return false;
      const reached = parts.find(({ counter }) => !counter.allows(key));
      if (reached === undefined) blockedUntil.delete(key);
      else blockedUntil.set(key, now + reached.ms);
      return reached === undefined;
    },
  };
}
