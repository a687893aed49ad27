import type { Clock } from '../clock.ts';
import { inPlainLines } from '../foreign-text.ts';

/** A look that takes longer has failed; ms. Shorter than a lease, so that whoever looks can still say what follows from it. */
export const LOOK_MS = 10_000;

/**
 * What an operation answers to a look at its object. A look that throws at once, or does not come to an end, fails as any
 * other: nobody waits for it, and it keeps no other operation from being looked after.
 */
export async function lookWithin<T>(clock: Pick<Clock, 'wait'>, look: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = clock.wait(LOOK_MS, over.signal).then((): never => {
    throw new Error(`an operation has been looking at its object for over ${LOOK_MS / 1000} s`);
  });
  const seen = inPlainLines((async () => look())());
  try {
    return await Promise.race([seen, late]);
  } finally {
    // What comes of the other one is nothing to anybody.
    for (const each of [seen, late]) each.catch(() => {});
    over.abort();
  }
}
