const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/** Makes what tells when something may be tried again: ever more seldom while it fails, from 1 s to 1 min. `now` is in ms. */
export function createBackOff(now: () => number) {
  let last: { readonly why: Error; readonly until: number; readonly waitMs: number } | undefined;
  /** How long it is not tried; a clock that was set back makes nobody wait longer. */
  const leftMs = (): number => {
    const left = (last?.until ?? 0) - now();
    return left > LONGEST_MS ? 0 : Math.max(0, left);
  };
  return {
    leftMs,
    /** Why it failed the last time; undefined when it did not. */
    why: (): Error | undefined => last?.why,
    /** Of several that failed at once, the first counts. */
    failed(why: Error): void {
      if (leftMs() > 0) return;
      const waitMs = last === undefined ? FIRST_MS : Math.min(LONGEST_MS, last.waitMs * 2);
      last = { why, until: now() + waitMs, waitMs };
    },
    succeeded(): void {
      last = undefined;
    },
  };
}
