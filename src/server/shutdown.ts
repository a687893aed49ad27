import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

/** Something that must be closed before the process may end; `name` is for the log. */
export interface Closer {
  readonly name: string;
  close(): Promise<void>;
}

/**
 * Closes one after the other: what listens first, what it needs last. Answers the names of those that failed or were
 * not done when the time was up; a failure does not keep the rest from being closed.
 */
export async function shutDown(
  closers: readonly Closer[],
  timeUp: Promise<void>,
): Promise<readonly string[]> {
  const unfinished = new Set(closers.map(({ name }) => name));
  const closeAll = async () => {
    for (const closer of closers) {
      await closer.close().then(
        () => unfinished.delete(closer.name),
        () => {},
      );
    }
  };
  await Promise.race([closeAll(), timeUp]);
  return [...unfinished];
}

const WITHIN_MS = 10_000;

/**
 * On SIGTERM or SIGINT finishes what is in flight, within 10 s, and ends the process: 0 when all was closed, else 1.
 * Further signals change nothing: a terminal and npm each pass on the same Ctrl-C.
 */
export function closeOnSignal(closers: readonly Closer[], log: Log): void {
  const close = async (signal: NodeJS.Signals) => {
    log.info({ signal }, 'finishing what is in flight');
    const unfinished = await shutDown(closers, sleep(WITHIN_MS));
    if (unfinished.length > 0) log.error({ unfinished }, 'not closed in time');
    else log.info('closed');
    process.exit(unfinished.length === 0 ? 0 : 1);
  };
  let closing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!closing) void close(signal);
      closing = true;
    });
  }
}
