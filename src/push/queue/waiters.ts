import { createBatcher } from '../../server/batch.ts';
import type { Database } from '../database/database.ts';

const LOOKS = 500;

/** Makes the place where callers wait until a message is finished. */
export function createWaiters(db: Database, onError: (error: unknown) => void) {
  const waiting = new Map<string, Set<(isFinished: boolean) => void>>();

  const notify = (messageIds: readonly string[]): void => {
    for (const id of messageIds) {
      for (const resolve of waiting.get(id) ?? []) resolve(true);
    }
  };
  const find = createBatcher<string, undefined>(
    async (ids) => {
      const closed = db.selectFrom('messages').select('id').where('id', 'in', ids).where('open', '=', 0);
      notify((await closed.execute()).map(({ id }) => id));
      return ids.map(() => undefined);
    },
    { size: LOOKS, parallel: 1 },
  );
  return {
    /** Resolves to true when nothing of the message is open any more, to false after `ms`. */
    finished(messageId: string, ms: number): Promise<boolean> {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const here = waiting.get(messageId) ?? new Set();
      waiting.set(messageId, here.add(resolve));
      const timer = setTimeout(() => resolve(false), ms);
      // It may have ended before anybody waited.
      find(messageId).catch(onError);
      return promise.finally(() => {
        clearTimeout(timer);
        here.delete(resolve);
        if (here.size === 0 && waiting.get(messageId) === here) waiting.delete(messageId);
      });
    },
    /** Notifies those who wait for these messages. */
    notify,
    /** Looks into the database for all who wait: what other replicas have finished is seen here. */
    async look(): Promise<void> {
      await Promise.all([...waiting.keys()].map((id) => find(id)));
    },
    /** Nobody waits any more. */
    close(): void {
      for (const resolve of [...waiting.values()].flatMap((some) => [...some])) resolve(false);
    },
  };
}
