interface BatchOptions<In> {
  /** How many go into one batch; where calls have weights, how much they weigh together. A call goes whole. */
  readonly size: number;
  readonly weigh?: (call: In) => number;
  /** How long a batch waits for more calls; ms. */
  readonly waitMs?: number;
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
  { size, parallel, weigh = () => 1, waitMs = 0 }: BatchOptions<In>,
): (call: In) => Promise<Out> {
  type Waiting = PromiseWithResolvers<Out> & { readonly call: In };
  const waiting: Waiting[] = [];
  let running = 0;
  let isPlanned = false;

  const plan = (): void => {
    if (isPlanned || running >= parallel || waiting.length === 0) return;
    isPlanned = true;
    if (waitMs > 0) setTimeout(runNext, waitMs);
    else setImmediate(runNext);
  };
  const runNext = async (): Promise<void> => {
    isPlanned = false;
    running += 1;
    let weight = 0;
    const end = waiting.findIndex(({ call }, index) => {
      weight += weigh(call);
      return index > 0 && weight > size;
    });
    const batch = waiting.splice(0, end < 0 ? waiting.length : end);
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
