import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';
import { type Closer, shutDown } from './shutdown.ts';

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
