import { hash, randomUUID } from 'node:crypto';
import type { AccessToken, TokenStore } from './access-token.ts';
import { createSeal } from './seal.ts';

/** The commands of Redis that the store needs; a client of ioredis has them. */
export interface TokenRedis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, px: 'PX', ms: number): Promise<unknown>;
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<unknown>;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
}

/** Deletes a key only if it still holds the value that the caller saw. */
const DELETE_IF_SAME = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** No token lives longer (§4.1); the moment to stop using it stands in the value. */
const TOKEN_TTL_MS = 7_200_000;

/**
 * Keeps one app's access token in Redis, for all replicas. It is sealed under the app's secret: Redis is shared with the
 * bot, and a token does all that the secret does. A changed secret begins anew: a token that was issued to the old one is
 * never used under it.
 */
export function createTokenStore(
  redis: TokenRedis,
  corpId: string,
  agentId: number,
  secret: string,
): TokenStore {
  const key = `keypad:wecom:{${corpId}:${agentId}}:token:${hash('sha256', secret).slice(0, 16)}`;
  const lockKey = `${key}:lock`;
  const seal = createSeal(secret);
  /** A value that cannot be decrypted counts as none, and is overwritten. */
  const readToken = (kept: string | null): AccessToken | null =>
    JSON.parse((kept !== null && seal.open(kept)) || 'null');
  const deleteIfSame = async (name: string, value: string): Promise<void> => {
    await redis.eval(DELETE_IF_SAME, 1, name, value);
  };

  return {
    read: async () => readToken(await redis.get(key)),
    write: async (token, expiresAt) => {
      await redis.set(key, seal.close(JSON.stringify({ token, expiresAt })), 'PX', TOKEN_TTL_MS);
    },
    drop: async (token) => {
      const kept = await redis.get(key);
      if (kept !== null && readToken(kept)?.token === token) await deleteIfSame(key, kept);
    },
    lock: async (ms) => {
      const owner = randomUUID();
      const taken = await redis.set(lockKey, owner, 'PX', ms, 'NX');
      return taken === null ? null : () => deleteIfSame(lockKey, owner);
    },
  };
}
