/** Lets at most so many pieces of work run at the same time; the others wait, first come, first served. */
export function createSemaphore(room: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = room;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever waits gets the place itself, so that nobody who comes later takes it.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
