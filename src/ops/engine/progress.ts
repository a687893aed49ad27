import type { ConfirmedChange, Observation } from '../operations/operation.ts';
import type { Replica } from './watcher.ts';

/** How long after its confirmation the user of a change under way is told how it stands, each time. */
const TELL_AFTER_MS = [30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000];
/** How often it is written down, for whoever asks. */
const NOTE_EVERY_MS = 5000;

/** What is told of a change: how it stands, and the lines below that. */
export function textOf({ text, lines = [] }: Observation): string {
  return [text, ...lines].join('\n');
}

/**
 * Makes what notes how a change under way stands. Whoever asks is answered that, and its user is told, ever more seldom;
 * each time once, also when another replica goes on with it.
 */
export function createProgress({ store, clock }: Replica, { id, startedAt }: ConfirmedChange) {
  let noted = '';
  let noteAt = 0;
  let told = -1;
  return async (seen: Observation): Promise<void> => {
    const now = clock.now();
    const text = textOf(seen);
    const step = TELL_AFTER_MS.findLastIndex((after) => now - startedAt >= after);
    const isDue = step > told;
    if (!isDue && (text === noted || now < noteAt)) return;
    const message = isDue ? { key: `progress-${step}-${id}`, text, tellAt: now } : null;
    if (!(await store.note(id, text, message))) return;
    noted = text;
    noteAt = now + NOTE_EVERY_MS;
    told = step;
  };
}
