import type { Redis } from '../server/redis.ts';

/** A message whose answer its writer has yet to read. The same for each delivery of it. */
export interface OpenAnswer {
  /** The text form of a principal. */
  readonly writer: string;
  readonly msgId: string;
  /** The minute in which it was written; Unix seconds. */
  readonly minute: number;
  /** Begins what is told: which message it answers. */
  readonly about: string;
}

/** Messages whose answer is open, in Redis: the death of a replica leaves nobody in the dark. */
export type OpenAnswers = ReturnType<typeof openAnswers>;

const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** ARGV: the lease in ms, how long the key is kept in seconds, and what is open. */
const NOTE = `${CLOCK}
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])`;

/** Of all replicas that see the same one overdue, the first has it. ARGV: what is open, and the lease in ms. */
const TAKE = `${CLOCK}
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '+inf') > now then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return 1`;

/** Longer than all replicas are away; each new one lengthens it. */
const KEPT_SECONDS = 86_400;
const AT_ONCE = 20;

/**
 * Opens the answers of all accounts, which stand under one name. Whoever works on one has it for `leaseMs` and notes it
 * again before that is over. The time is Redis's own, so replicas need not agree on theirs.
 */
export function openAnswers(redis: Redis, scope: string, leaseMs: number) {
  const key = `keypad:{${scope}}:answers`;
  return {
    async note(answers: readonly OpenAnswer[]): Promise<void> {
      await redis.eval(NOTE, 1, key, leaseMs, KEPT_SECONDS, ...answers.map(written));
    },
    /** Answers those that nobody works on any more, each to one replica, which has it from now on. */
    async takeOverdue(): Promise<readonly OpenAnswer[]> {
      const first = await redis.zrangebyscore(key, '-inf', '+inf', 'LIMIT', 0, AT_ONCE);
      const taken = await Promise.all(first.map((member) => redis.eval(TAKE, 1, key, member, leaseMs)));
      return first.filter((_, i) => taken[i] === 1).map((member) => JSON.parse(member) as OpenAnswer);
    },
    /** Their writers have read them, or others tell them. */
    async close(answers: readonly OpenAnswer[]): Promise<void> {
      await redis.zrem(key, ...answers.map(written));
    },
  };
}

/** The same text for the same message. */
function written({ writer, msgId, minute, about }: OpenAnswer): string {
  return JSON.stringify({ writer, msgId, minute, about });
}
