import type { Receiver } from '../content/message.ts';

/**
 * Which limits a receiver has (§4.12, §4.5, §5). `member`: minute, hour and day. `broad` (@all, a department, a tag):
 * the day, as one person-time, since only WeCom knows how many members there are and whom else we write to. `robot`: its
 * minute. `chat`: none that we can know, because WeCom does not say who its members are.
 */
export type LimitKind = 'member' | 'broad' | 'robot' | 'chat';

/** The limits of one receiver. */
export function limitKind(receiver: Receiver): LimitKind {
  if (receiver.startsWith('robot:')) return 'robot';
  if (receiver.startsWith('chat:')) return 'chat';
  return receiver.startsWith('user:') && receiver !== 'user:@all' ? 'member' : 'broad';
}

const DAY = 86_400_000;
/** WeCom's day is China's, which knows no summer time. */
const EAST = 8 * 3_600_000;

/** The day of Asia/Shanghai: a number that grows by one at midnight, and when it begins and ends (Unix ms). */
export function dayOf(now: number): {
  readonly number: number;
  readonly beginsAt: number;
  readonly endsAt: number;
} {
  const number = Math.floor((now + EAST) / DAY);
  return { number, beginsAt: number * DAY - EAST, endsAt: (number + 1) * DAY - EAST };
}
