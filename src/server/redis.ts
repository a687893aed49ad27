import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/** How often a connection is given up because of what its server says, so that one that stays like that is not flooded with new ones. */
const REPLACE_EVERY_MS = 1000;

/**
 * What a server says that does not do its work for now, while another one behind the same address may, or this one later: demoted
 * (READONLY, MASTERDOWN), without room on disk or in memory, loading, without enough replicas, or busy. Before Redis 7 the word stands
 * inside the error of a script.
 */
const REFUSAL = /(^|-)(READONLY|MASTERDOWN|OOM|MISCONF|LOADING|NOREPLICAS|CLUSTERDOWN|BUSY)\b/;

/** What a test sets. */
interface RedisOptions {
  /** Milliseconds from any start. */
  readonly now?: () => number;
}

/**
 * Connects to Redis; the one place that does. Commands of one tick share a socket write, and when Redis does not answer
 * for a second they fail: a person hears a sentence instead of nothing.
 *
 * After a failover the address may lead to another server, while the connection to the old one still looks alive: after an answer that
 * never came, or a {@link REFUSAL}, the connection is dropped, and a new one made.
 */
export function createRedis(url: string, { now = () => performance.now() }: RedisOptions = {}): Redis {
  let replacedAt = Number.NEGATIVE_INFINITY;
  return new Redis(url, {
    // Our replies are flat; RESP3 costs more to read and brings nothing here.
    protocol: 2,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    // One timer for all commands in flight, not one for each command.
    socketTimeout: 1000,
    connectTimeout: 1000,
    // An idle connection whose other end is gone is noticed by the kernel after this and ten unanswered probes, a second apart.
    keepAlive: 5000,
    // A server that loads its data says so to every command, and nobody waits for it to end. Nor is there anything else to ask first.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Before the next attempt to connect, in ms.
    retryStrategy: (times) => Math.min(50 * times, 1000),
    reconnectOnError({ message }) {
      if (!REFUSAL.test(message) || now() - replacedAt < REPLACE_EVERY_MS) return false;
      replacedAt = now();
      return true;
    },
  });
}

/** So many that each master of a cluster whose slots are shared out evenly has some. */
const READY_KEYS = 16;

/** Rejects unless Redis takes writes, whichever node they go to. */
export async function checkWrites(redis: Redis): Promise<void> {
  const keys = Array.from({ length: READY_KEYS }, (_, number) => `keypad:ready:${number}`);
  await Promise.all(keys.map((key) => redis.set(key, '', 'EX', 60)));
}
