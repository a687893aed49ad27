import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/**
 * Connects to Redis; the one place that does. Commands of one tick share a socket write, and when Redis does not answer
 * for a second they fail: a person hears a sentence instead of nothing, and a message waits in MySQL.
 */
export function createRedis(url: string): Redis {
  return new Redis(url, {
    // Our replies are flat; RESP3 costs more to read and brings nothing here.
    protocol: 2,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    // One timer for all commands in flight, not one for each command.
    socketTimeout: 1000,
    connectTimeout: 1000,
    // Before the next attempt to connect, in ms.
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
}
