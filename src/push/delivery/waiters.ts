import { createBatcher } from '../../server/batch.ts';
import type { Redis } from '../../server/redis.ts';
import type { Database } from '../database/database.ts';

/** What waiting for messages needs. */
export interface WaitersParts {
  readonly db: Database;
  readonly redis: Redis;
  /** A connection of its own, on which other replicas' news arrive. */
  readonly openWaiting: () => Redis;
  readonly onError: (error: unknown) => void;
}

/** Callers who wait until a message is finished. */
export interface Waiters {
  /** Resolves to true when nothing of the message is open any more, to false after `ms`. */
  finished(messageId: string, ms: number): Promise<boolean>;
  /** Tells those who wait here and, by Redis, those in other replicas. */
  tell(messageIds: readonly string[]): void;
  /** Looks into the database for all who wait: what Redis did not tell is seen here. */
  look(): Promise<void>;
  start(): void;
  /** Nobody waits any more. */
  close(): void;
}

const CHANNEL = 'keypad:push:finished';
const LOOKS = 500;

/** Makes the place where callers wait. */
export function createWaiters({ db, redis, openWaiting, onError }: WaitersParts): Waiters {
  const waiting = new Map<string, Set<(isFinished: boolean) => void>>();
  let subscriber: Redis | null = null;

  const wake = (messageIds: readonly string[]): void => {
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
      wake(rows.map(({ id }) => id));
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
    tell(messageIds) {
      wake(messageIds);
      if (redis.status === 'ready') redis.publish(CHANNEL, JSON.stringify(messageIds)).catch(onError);
    },
    async look() {
      await Promise.all([...waiting.keys()].map((id) => find(id)));
    },
    start() {
      subscriber = openWaiting();
      subscriber.on('error', onError);
      subscriber.on('message', (_channel, text) => wake(readIds(text)));
      subscriber.subscribe(CHANNEL).catch(onError);
    },
    close() {
      subscriber?.disconnect();
      for (const each of [...waiting.values()].flatMap((some) => [...some])) each(false);
    },
  };
}

function readIds(text: string): readonly string[] {
  const ids: unknown = JSON.parse(text);
  return Array.isArray(ids) ? ids.map(String) : [];
}
