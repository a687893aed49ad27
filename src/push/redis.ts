import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/**
 * Connects to Redis for limits, cache notices and the adding of jobs; the one place of message delivery that does.
 * A command that Redis does not answer within a second fails: what was accepted stands in MySQL, and is swept up.
 */
export function createRedis(url: string): Redis {
  return new Redis(url, {
    protocol: 2,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    socketTimeout: 1000,
    connectTimeout: 1000,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
}

/** A connection on which a worker waits for jobs, or a subscriber for messages: it waits as long as it takes. */
export function createWaitingRedis(url: string): Redis {
  return new Redis(url, {
    protocol: 2,
    maxRetriesPerRequest: null,
    connectTimeout: 1000,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
}
