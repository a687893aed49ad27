import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/**
 * Connects to Redis; the one place that does. Commands of one tick share a socket write, and when Redis does not answer
 * for a second they fail, so that the person hears a sentence instead of nothing.
 */
export function createRedis(url: string): Redis {
  return new Redis(url, {
    // Our replies are flat; RESP3 costs more to read and brings nothing here.
    protocol: 2,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    // One timer for all that is on its way, not one for each command.
    socketTimeout: 1000,
    connectTimeout: 1000,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
}
