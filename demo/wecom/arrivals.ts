import type { Clock } from './app.ts';

/** One message for one receiver as WeCom saw it, for tests to look at; `time` is Unix milliseconds. */
export interface Arrival {
  /** A userid in lower case, `chat:CHATID` or `robot:NAME`. */
  readonly receiver: string;
  readonly time: number;
  readonly msgid: string;
  readonly msgtype: string;
  readonly text: string;
  /** Why nobody saw it: over the limit of the receiver, or a repeat that the duplicate check dropped. */
  readonly dropped?: 'limit' | 'repeat';
}

/** How many messages there were, one for each receiver of a call. */
export interface Totals {
  readonly shown: number;
  readonly overLimit: number;
  readonly repeats: number;
  /** Receivers that were shown anything, and the most that one of them was shown. */
  readonly receivers: number;
  readonly mostForOne: number;
}

/** Who was sent what, in order: the last messages in full, and counts of all. */
export interface Arrivals {
  add(arrival: Omit<Arrival, 'time'>): void;
  /** Of one receiver, or of all, oldest first; what was dropped is there too. */
  list(receiver?: string): readonly Arrival[];
  /** How often this receiver was shown something, however long ago. */
  count(receiver: string): number;
  totals(): Totals;
  /** The most messages for one receiver in any so many seconds, dropped ones included: what WeCom counts. */
  maxInWindow(receiver: string, seconds: number): number;
  clear(): void;
}

/** Makes an empty record that keeps the last `limit` messages. */
export function createArrivals(clock: Clock, limit = 20_000): Arrivals {
  let ring: Arrival[] = [];
  let next = 0;
  const shown = new Map<string, number>();
  let dropped = { limit: 0, repeat: 0 };

  const list = (receiver?: string): readonly Arrival[] => {
    const inOrder = [...ring.slice(next), ...ring.slice(0, next)];
    return receiver === undefined ? inOrder : inOrder.filter((arrival) => arrival.receiver === receiver);
  };

  return {
    add: (arrival) => {
      ring[next] = { ...arrival, time: clock() };
      next = (next + 1) % limit;
      if (arrival.dropped) dropped[arrival.dropped] += 1;
      else shown.set(arrival.receiver, (shown.get(arrival.receiver) ?? 0) + 1);
    },
    list,
    count: (receiver) => shown.get(receiver) ?? 0,
    totals: () => {
      const [repeats, overLimit] = [dropped.repeat, dropped.limit];
      let [sum, mostForOne] = [0, 0];
      for (const count of shown.values()) {
        sum += count;
        mostForOne = Math.max(mostForOne, count);
      }
      return { shown: sum, overLimit, repeats, receivers: shown.size, mostForOne };
    },
    maxInWindow: (receiver, seconds) => {
      const times = list(receiver).map(({ time }) => time);
      let [most, from] = [0, 0];
      times.forEach((time, at) => {
        while ((times[from] ?? time) <= time - seconds * 1000) from += 1;
        most = Math.max(most, at - from + 1);
      });
      return most;
    },
    clear: () => {
      ring = [];
      next = 0;
      shown.clear();
      dropped = { limit: 0, repeat: 0 };
    },
  };
}
