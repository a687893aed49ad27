import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

/** Something that must be closed before the process may end; `name` is for the log. */
export interface Closer {
  readonly name: string;
  close(): Promise<void>;
}

/** How long the whole may take; the timer is an argument so that a test need not wait. */
export interface ShutdownLimit {
  readonly withinMs: number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Closes one after the other: what listens first, what it needs last. Answers the names of those that failed or were
 * not done in time; a failure does not keep the rest from being closed.
 */
export async function shutDown(
  closers: readonly Closer[],
  { withinMs, sleep }: ShutdownLimit,
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
  const timer = new AbortController();
  await Promise.race([closeAll(), sleep(withinMs, timer.signal).catch(() => {})]);
  timer.abort();
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
    const unfinished = await shutDown(closers, {
      withinMs: WITHIN_MS,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    });
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
