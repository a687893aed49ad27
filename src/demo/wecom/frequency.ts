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

/** Makes a counter that holds all `limits` at once. */
export function createFrequency(limits: readonly Limit[], clock: Clock): Frequency {
  const turns = new Map<string, number[]>();
  const longest = Math.max(...limits.map(({ seconds }) => seconds)) * 1000;
  return {
    allows: (key) => {
      const now = clock();
      const past = (turns.get(key) ?? []).filter((time) => time > now - longest);
      turns.set(key, past);
      const isReached = ({ count, seconds }: Limit): boolean =>
        past.filter((time) => time > now - seconds * 1000).length >= count;
      if (limits.some(isReached)) return false;
      past.push(now);
      return true;
    },
  };
}
