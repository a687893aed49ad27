import type { Redis } from '../server/redis.ts';

/** Somebody's confirmation of the preview `id`. `trace` is the id of the message that carried it. */
export interface Confirmation {
  readonly id: string;
  /** The text form of a principal. */
  readonly user: string;
  readonly trace: string;
}

/** What was confirmed and not yet told, in Redis: the death of a replica leaves nobody in the dark. Times are Unix ms. */
export type OpenConfirmations = ReturnType<typeof openConfirmations>;

/** Of all replicas that see the same one, the first to move its time has it. */
const TAKE = `
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '+inf') > tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1`;

/** Longer than any platform is away; each new one lengthens it. */
const KEPT_SECONDS = 86_400;
const AT_ONCE = 20;

/** Opens the confirmations of all accounts, which stand under one name. */
export function openConfirmations(redis: Redis, scope: string) {
  const key = `keypad:{${scope}}:confirmations`;
  return {
    /** Notes a confirmation, or when it is overdue if it is noted already. */
    async note(confirmation: Confirmation, overdueAt: number): Promise<void> {
      await Promise.all([redis.zadd(key, overdueAt, written(confirmation)), redis.expire(key, KEPT_SECONDS)]);
    },
    /** Answers those that are overdue, each to one replica, and not again before `until`. */
    async takeOverdue(now: number, until: number): Promise<readonly Confirmation[]> {
      const overdue = await redis.zrangebyscore(key, '-inf', now, 'LIMIT', 0, AT_ONCE);
      const taken = await Promise.all(overdue.map((member) => redis.eval(TAKE, 1, key, member, now, until)));
      return overdue.filter((_, i) => taken[i] === 1).map((member) => JSON.parse(member) as Confirmation);
    },
    /** The user knows, or will be told by the platform. */
    async close(confirmation: Confirmation): Promise<void> {
      await redis.zrem(key, written(confirmation));
    },
  };
}

/** The same text for the same confirmation. */
function written({ id, user, trace }: Confirmation): string {
  return JSON.stringify({ id, user, trace });
}
