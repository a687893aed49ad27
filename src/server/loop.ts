/** What is done, and how often. */
export interface LoopParts {
  /** How long it rests after a round, asked when it begins to; ms. A rest keeps no process alive. */
  readonly restMs: number | (() => number);
  /** The shortest time from the beginning of one round to that of the next; ms. */
  readonly paceMs?: number;
  /**
   * One round; after one that resolves to true the next follows at once. What it throws ends that round only. A long one may
   * ask in between whether the loop has been stopped.
   */
  readonly work: (isStopped: () => boolean) => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

/** Makes what does work again and again, one round at a time; it does not run yet. */
export function createLoop({ restMs, paceMs = 0, work, onError }: LoopParts) {
  let isStopped = false;
  let running: Promise<void> | undefined;
  let bell = Promise.withResolvers<void>();

  const rest = async (): Promise<void> => {
    const timer = setTimeout(bell.resolve, typeof restMs === 'number' ? restMs : restMs()).unref();
    await bell.promise;
    clearTimeout(timer);
    bell = Promise.withResolvers();
  };
  const round = async (): Promise<unknown> => {
    try {
      return await work(() => isStopped);
    } catch (error) {
      onError(error);
      return false;
    }
  };
  const run = async (): Promise<void> => {
    await rest();
    while (!isStopped) {
      const pace = paceMs > 0 && new Promise((resolve) => setTimeout(resolve, paceMs));
      const more = await round();
      await pace;
      if (more !== true) await rest();
    }
  };
  return {
    /** Begins with a rest; `wake` first, and it begins with a round. */
    start(): void {
      running ??= run();
    },
    /** Ends the rest; during a round, the next follows at once. */
    wake: (): void => bell.resolve(),
    /** Begins no more rounds, and resolves when the one under way has ended. */
    async stop(): Promise<void> {
      isStopped = true;
      bell.resolve();
      await running;
    },
  };
}
