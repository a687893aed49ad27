import { hash } from 'node:crypto';
import { plainLine } from '../../plain-text.ts';
import type { Clock } from '../clock.ts';
import type { Records } from '../records.ts';
import { addMessage } from './outbox.ts';

export interface AdminsParts {
  readonly records: Records;
  readonly clock: Clock;
  /** A message was put into the outbox, due at that time; Unix milliseconds. */
  onMessage(dueAt: number): void;
}

const DAY_MS = 86_400_000;
const SHOWN = 5;
const SHOWN_LENGTH = 300;

/** Tells admins, principals in their text form, about files with problems. */
export type NotifyAdmins = ReturnType<typeof createAdminNotice>;

/**
 * Makes what tells the admins that a changed file was refused. All replicas, and all attempts of a
 * day, make one message of the same problems.
 */
export function createAdminNotice({ records, clock, onMessage }: AdminsParts) {
  return async (admins: readonly string[], problems: readonly string[]): Promise<void> => {
    const now = clock.now();
    const text = noticeOf(problems);
    for (const user of admins) {
      const digest = hash('sha256', JSON.stringify([user, problems]));
      const id = `refused-${Math.floor(now / DAY_MS)}-${digest.slice(0, 32)}`;
      await addMessage(records, { id, user, text, due_at: now });
    }
    onMessage(now);
  };
}

function noticeOf(problems: readonly string[]): string {
  const shown = problems
    .slice(0, SHOWN)
    .map((problem) => `· ${[...plainLine(problem)].slice(0, SHOWN_LENGTH).join('')}`);
  const more = problems.length > SHOWN ? [`……共 ${problems.length} 处`] : [];
  return ['改动有错，没有生效，原来的继续使用：', ...shown, ...more, '改好后会自动生效。'].join('\n');
}
