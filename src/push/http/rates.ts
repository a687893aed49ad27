import type { Redis } from '../../server/redis.ts';

/** How many requests an app makes in a minute, together in all replicas. */
export interface Rates {
  /** Counts one request; resolves to 0 when it is within the limit, otherwise to the seconds until the next minute. */
  take(app: string, perMinute: number): Promise<number>;
}

const MINUTE_MS = 60_000;
/** After an error Redis is not asked for so long, so that requests do not wait for it one after the other. */
const PAUSE_MS = 1000;

const COUNT = `
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], 120) end
return n`;

/** Makes the counter. While Redis is away each process counts for itself: a message matters more than the exact limit. */
export function createRates(redis: Redis, now: () => number): Rates {
  redis.defineCommand('keypadCountRequest', { numberOfKeys: 1, lua: COUNT });
  const { keypadCountRequest } = redis as unknown as { keypadCountRequest(key: string): Promise<number> };
  let minute = 0;
  let own = new Map<string, number>();
  let pausedUntil = 0;

  const countShared = async (app: string): Promise<number> => {
    if (redis.status !== 'ready' || now() < pausedUntil) return 0;
    try {
      return await keypadCountRequest.call(redis, `keypad:push:rate:{${app}}:${minute}`);
    } catch {
      pausedUntil = now() + PAUSE_MS;
      return 0;
    }
  };
  return {
    async take(app, perMinute) {
      const current = Math.floor(now() / MINUTE_MS);
      if (current !== minute) own = new Map();
      minute = current;
      const counted = (own.get(app) ?? 0) + 1;
      own.set(app, counted);
      const total = Math.max(counted, await countShared(app));
      return total <= perMinute ? 0 : Math.ceil(((current + 1) * MINUTE_MS - now()) / 1000);
    },
  };
}
