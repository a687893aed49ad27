/** Something that is done again and again. */
export interface Timer {
  start(): void;
  /** Resolves when it is not being done any more. */
  stop(): Promise<void>;
}

/** Does `work` each `ms`, never twice at the same time, whatever becomes of it. */
export function createTimer(ms: number, work: () => Promise<void>, onError: (error: unknown) => void): Timer {
  let next: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const plan = (): void => {
    if (isStopped) return;
    next = setTimeout(() => {
      running = work().catch(onError).then(plan);
    }, ms);
  };
  return {
    start: plan,
    async stop() {
      isStopped = true;
      clearTimeout(next);
      await running;
    },
  };
}
