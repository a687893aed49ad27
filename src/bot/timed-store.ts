import type { SessionStore } from '../chat/index.ts';

/** A session store that reports how long each round trip took, in seconds. */
export function timedStore(
  store: SessionStore,
  onRoundTrip: (result: 'ok' | 'error', seconds: number) => void,
): SessionStore {
  const timed =
    (call: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]): Promise<unknown> => {
      const started = performance.now();
      const done = (result: 'ok' | 'error') => onRoundTrip(result, (performance.now() - started) / 1000);
      const answered = call(...args);
      answered.then(
        () => done('ok'),
        () => done('error'),
      );
      return answered;
    };
  const calls = Object.entries(store).map(([name, call]) => [name, timed(call)]);
  return Object.fromEntries(calls) as SessionStore;
}
