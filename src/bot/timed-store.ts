import type { SessionStore } from '../chat/index.ts';

/** A session store that reports how long each round trip took, in seconds. */
export function timedStore(
  store: SessionStore,
  onRoundTrip: (result: 'ok' | 'error', seconds: number) => void,
): SessionStore {
  const timed =
    (call: (...args: never[]) => Promise<unknown>) =>
    async (...args: never[]): Promise<unknown> => {
      const started = performance.now();
      const done = (result: 'ok' | 'error') => onRoundTrip(result, (performance.now() - started) / 1000);
      try {
        const answered = await call(...args);
        done('ok');
        return answered;
      } catch (error) {
        done('error');
        throw error;
      }
    };
  const calls = Object.entries(store).map(([name, call]) => [name, timed(call)]);
  return Object.fromEntries(calls) as SessionStore;
}
