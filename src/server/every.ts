/** Repeats `work`, never twice at once. What it answers stops that, and answers itself when no round is running. */
export function every(milliseconds: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work().finally(() => {
      running = undefined;
    });
  }, milliseconds).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
