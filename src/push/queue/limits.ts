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

/** Whether a receiver counts one towards the day of its account. */
export function countsToday(receiver: Receiver): boolean {
  return ['member', 'broad'].includes(limitKind(receiver));
}

/** At most so many calls within any `ms`. */
export interface Window {
  readonly most: number;
  readonly ms: number;
}

/** The shortest first. */
export type Windows = readonly [Window, ...Window[]];

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** WeCom's own count may lag by so much. */
const MARGIN_MS = 500;

/** The windows of one receiver; null for what only the day limits. */
export function windowsOf(receiver: Receiver): Windows | null {
  const minute = MINUTE_MS + MARGIN_MS;
  switch (limitKind(receiver)) {
    case 'member':
      return [
        { most: 30, ms: minute },
        { most: 1000, ms: HOUR_MS + MARGIN_MS },
      ];
    case 'robot':
      return [{ most: 20, ms: minute }];
    default:
      return null;
  }
}

/** So many calls of other lanes to a receiver may be on their way at most. */
export const SLACK = 2;

/** When calls of a receiver that is close to its limits ended: the last but `most - SLACK` and so on until `most`, as far as there are. */
export type Usage = readonly (Window & { readonly ends: readonly number[] })[];

/**
 * When the next call may go out (Unix ms, perhaps long ago) while `others` are on their way or go first: a call that has
 * not ended takes a place until a window after its end.
 */
export function freeAt(usage: Usage, others: number): number {
  return Math.max(0, ...usage.map(({ ends, ms }) => (ends[SLACK - others] ?? -ms) + ms));
}

/** How long a block lasts, and until when (Unix ms). */
export interface Block {
  readonly until: number;
  readonly ms: number;
}

/** A block that comes back so soon after its end was of a longer limit. */
const AGAIN_MS = 30_000;

/**
 * A block that follows on another, if there was one. It never gets shorter, and lasts twice as long as before, up to an
 * hour, when it comes back right after its end: WeCom does not say which limit was passed (§4.12).
 */
export function nextBlock(last: Block | undefined, { until, ms }: Block): Block {
  if (last === undefined) return { until, ms };
  if (until <= last.until) return last;
  const begins = until - ms;
  if (last.until > begins) return { until, ms: last.ms };
  const longer = begins < last.until + AGAIN_MS ? Math.min(2 * last.ms, HOUR_MS) : 0;
  return { until: begins + Math.max(ms, longer), ms: Math.max(ms, longer) };
}

const DAY_MS = 86_400_000;
/** WeCom's day is China's, which knows no summer time. */
const EAST_MS = 8 * HOUR_MS;

/** The day of Asia/Shanghai: a number that grows by one at midnight, and when it begins and ends (Unix ms). */
export function dayOf(now: number): {
  readonly number: number;
  readonly beginsAt: number;
  readonly endsAt: number;
} {
  const number = Math.floor((now + EAST_MS) / DAY_MS);
  return { number, beginsAt: number * DAY_MS - EAST_MS, endsAt: (number + 1) * DAY_MS - EAST_MS };
}

/** When a receiver that was over the limit of a day comes again: from 1 s to a minute after midnight, not all at :00 (§4.12). */
export function tomorrow(now: number, receiver: Receiver): number {
  let sum = 0;
  for (const sign of receiver) sum = (sum * 31 + sign.charCodeAt(0)) % 59_000;
  return dayOf(now).endsAt + 1000 + sum;
}
