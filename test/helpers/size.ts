import { inject } from 'vitest';

/** Whether the large sizes run: `npm run test:long`. */
export const isLong = inject('isLong');

/** The size of a test: small enough for every run, or the large one of `npm run test:long`. */
export function size(inEveryRun: number, inLongRuns: number): number {
  return isLong ? inLongRuns : inEveryRun;
}

/** How many hostile inputs are tried: a second or two of them in every run, or as many as `npm run test:attack` tries. */
export function attacks(inEveryRun: number, inAttackRuns: number): number {
  return inject('isAttack') ? inAttackRuns : inEveryRun;
}
