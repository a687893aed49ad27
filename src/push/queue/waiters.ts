import { createBatcher } from '../../server/batch.ts';
import type { Database } from '../database/database.ts';

/** Callers who wait until a message is finished. */
export interface Waiters {
  /** Resolves to true when nothing of the message is open any more, to false after `ms`. */
  finished(messageId: string, ms: number): Promise<boolean>;
  /** Notifies those who wait for these messages. */
  notify(messageIds: readonly string[]): void;
  /** Looks into the database for all who wait: what other replicas have finished is seen here. */
  look(): Promise<void>;
  /** Nobody waits any more. */
  close(): void;
}

const LOOKS = 500;

/** Makes the place where callers wait. */
export function createWaiters(db: Database, onError: (error: unknown) => void): Waiters {
  const waiting = new Map<string, Set<(isFinished: boolean) => void>>();

  const notify = (messageIds: readonly string[]): void => {
    for (const id of messageIds) {
      for (const resolve of waiting.get(id) ?? []) resolve(true);
    }
  };
  const find = createBatcher<string, undefined>(
    async (ids) => {
      const rows = await db
        .selectFrom('messages')
        .select('id')
        .where('id', 'in', ids)
        .where('open', '=', 0)
        .execute();
      notify(rows.map(({ id }) => id));
      return ids.map(() => undefined);
    },
    { size: LOOKS, parallel: 1 },
  );
  return {
    finished(messageId, ms) {
      return new Promise((resolve) => {
        const here = waiting.get(messageId) ?? new Set();
        waiting.set(messageId, here);
        const settle = (isFinished: boolean): void => {
          clearTimeout(timer);
          here.delete(settle);
          if (here.size === 0 && waiting.get(messageId) === here) waiting.delete(messageId);
          resolve(isFinished);
        };
        const timer = setTimeout(() => settle(false), ms);
        here.add(settle);
        // It may have ended before anybody waited.
        find(messageId).catch(onError);
      });
    },
    notify,
    async look() {
      await Promise.all([...waiting.keys()].map((id) => find(id)));
    },
    close() {
      for (const each of [...waiting.values()].flatMap((some) => [...some])) each(false);
    },
  };
}
