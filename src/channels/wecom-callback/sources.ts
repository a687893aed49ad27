import type { Redis } from '../../server/redis.ts';
import { createSources } from '../../server/sources.ts';

interface CallbackSourcesParts {
  /** What the settings say: fixed networks, and whether WeCom's own ranges count too. */
  readonly allowed: { readonly wecom: boolean; readonly cidrs: readonly string[] };
  readonly redis: Redis;
  readonly corpId: string;
  /** `getcallbackip` (protocol §4.7), as CIDRs. */
  askWeCom(): Promise<readonly string[]>;
  /** Hears of what is wrong; that nobody answers only once that has lasted. */
  onError(error: unknown): void;
  /** Unix milliseconds. */
  now(): number;
}

const FRESH_MS = 86_400_000;
/** All roles start at once, and message delivery is updated one process after another: so long no answer is no error. */
const QUIET_MS = 60_000;
/** While Tencent changes its addresses old and new coexist: what was good is believed a week longer. */
const KEPT_SECONDS = 7 * 86_400;

/**
 * Opens the addresses that callbacks may come from; `wecom` among the settings stands for what WeCom itself says. Before
 * its first answer the last good one is read from Redis.
 */
export async function openCallbackSources(parts: CallbackSourcesParts) {
  const { wecom, cidrs: fixed } = parts.allowed;
  const key = `keypad:wecom:{${parts.corpId}}:callback-ranges`;
  let sources = createSources(fixed);
  const use = (ranges: readonly string[]): void => {
    sources = createSources([...fixed, ...ranges]);
  };
  let askAt = 0;
  let failingSince: number | undefined;
  /** What WeCom answers; undefined when there is no answer, and that is told already or need not be yet. */
  const ask = async (): Promise<readonly string[] | undefined> => {
    try {
      const answer = await parts.askWeCom();
      failingSince = undefined;
      return answer;
    } catch (error) {
      failingSince ??= parts.now();
      if (parts.now() - failingSince >= QUIET_MS) parts.onError(error);
      return undefined;
    }
  };
  /**
   * Asks WeCom again when it is time: a day after a good answer, at once after none. When it cannot say, the last good
   * answer goes on. To be called every few seconds.
   */
  const keepFresh = async (): Promise<void> => {
    if (!wecom || parts.now() < askAt) return;
    try {
      const fresh = await ask();
      if (fresh === undefined) return;
      if (fresh.length === 0)
        throw new Error('getcallbackip answered an empty list; the last good one stays');
      use(fresh);
      askAt = parts.now() + FRESH_MS;
      const now = Math.floor(parts.now() / 1000);
      await parts.redis.zadd(key, ...fresh.flatMap((range) => [`${now}`, range]));
      await parts.redis.zremrangebyscore(key, '-inf', `(${now - KEPT_SECONDS}`);
      await parts.redis.expire(key, `${KEPT_SECONDS}`);
      use(await parts.redis.zrange(key, '0', '-1'));
    } catch (error) {
      parts.onError(error);
    }
  };
  if (wecom) use(await parts.redis.zrange(key, '0', '-1').catch(() => []));
  await keepFresh();
  return { allows: (address: string): boolean => sources.allows(address), keepFresh };
}
