import type { BotConfig } from '../config.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import { createLoop } from '../server/loop.ts';
import { createRedis, type Redis } from '../server/redis.ts';

interface OwnRedisParts {
  readonly config: Pick<BotConfig, 'redisUrl' | 'redisNodes' | 'installation' | 'account'>;
  readonly log: Log;
}

/**
 * Opens the Redis of a bot under the names of its installation, and holds those of its app. What spans users stands
 * under one name, `scope`. Throws a ConfigError when the names are held for another enterprise.
 */
export async function openOwnRedis({ config, log }: OwnRedisParts) {
  const { account, installation } = config;
  const redis = createRedis(config.redisUrl.reveal(), {
    nodes: config.redisNodes.reveal(),
    prefix: installation === '' ? '' : `${installation}:`,
  });
  redis.on('error', (err) => log.warn({ err }, 'redis'));
  const scope = account === undefined ? 'accounts' : `${account.agentId}`;
  const onError = (err: unknown) => log.error({ err }, 'it is not certain whose names in Redis these are');
  const names = account && (await holdNames({ redis, scope, corpId: account.corpId, onError }));
  return {
    redis,
    scope,
    async close(): Promise<void> {
      await names?.stop();
      redis.disconnect();
    },
  };
}

interface NamesParts {
  readonly redis: Redis;
  /** What the names in question have in common. */
  readonly scope: string;
  /** The enterprise whose people they are. */
  readonly corpId: string;
  onError(error: unknown): void;
}

const RENEW_MS = 20_000;
/** How long they stay those of an enterprise none of whose replicas is up. */
const HELD_SECONDS = 60;

/**
 * Holds the names of an app in Redis, which are made from its agent id: that of the first app is the same in every enterprise, and people
 * have the same userids. Throws a ConfigError when they are held for another enterprise; what Redis cannot say now is seen later.
 */
export async function holdNames({ redis, scope, corpId, onError }: NamesParts) {
  const key = `keypad:{${scope}}:corp`;
  const hold = async (): Promise<void> => {
    await redis.set(key, corpId, 'EX', HELD_SECONDS, 'NX');
    const holder = await redis.get(key);
    if (holder !== null && holder !== corpId) {
      throw new ConfigError([
        `INSTALLATION: on this Redis an app of the enterprise ${holder} has the same agent id ${scope}, and so the same names; give one of the two installations another INSTALLATION`,
      ]);
    }
    await redis.expire(key, HELD_SECONDS);
  };
  await hold().catch((error: unknown) => {
    if (error instanceof ConfigError) throw error;
    onError(error);
  });
  const loop = createLoop({ restMs: RENEW_MS, work: hold, onError });
  loop.start();
  return { stop: loop.stop };
}
