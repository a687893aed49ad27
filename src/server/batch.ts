interface BatchOptions {
  /** How many go into one batch. */
  readonly size: number;
  /** How many batches may be under way at the same time; with one, batches keep the order of the calls. */
  readonly parallel: number;
}

/**
 * Puts calls of the same moment together: those of one turn of the event loop, and those that come while a batch is
 * under way, are handed to `run` as one list, whose answers stand in the same order; an answer may be a promise, which
 * holds up only its own call. A batch that throws fails its calls.
 */
export function createBatcher<In, Out>(
  run: (calls: readonly In[]) => Promise<readonly (Out | Promise<Out>)[]>,
  { size, parallel }: BatchOptions,
): (call: In) => Promise<Out> {
  type Waiting = PromiseWithResolvers<Out> & { readonly call: In };
  const waiting: Waiting[] = [];
  let running = 0;
  let isPlanned = false;

  const plan = (): void => {
    if (isPlanned || running >= parallel || waiting.length === 0) return;
    isPlanned = true;
    setImmediate(runNext);
  };
  const runNext = async (): Promise<void> => {
    isPlanned = false;
    running += 1;
    const batch = waiting.splice(0, size);
    plan();
    try {
      const answers = await run(batch.map(({ call }) => call));
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as Out);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    running -= 1;
    plan();
  };
  return (call) => {
    const one = { call, ...Promise.withResolvers<Out>() };
    waiting.push(one);
    plan();
    return one.promise;
  };
}
