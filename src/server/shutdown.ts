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
