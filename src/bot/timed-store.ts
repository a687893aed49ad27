import type { SessionStore } from '../chat/index.ts';

/** A session store that reports how long each round trip took, in seconds. */
export function timedStore(
  store: SessionStore,
  onRoundTrip: (result: 'ok' | 'error', seconds: number) => void,
): SessionStore {
  const timed =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
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
  return {
    enter: timed(store.enter),
    askAgain: timed(store.askAgain),
    look: timed(store.look),
    leave: timed(store.leave),
    markConfirmed: timed(store.markConfirmed),
    keepReply: timed(store.keepReply),
    end: timed(store.end),
  };
}
