import { setTimeout as sleep } from 'node:timers/promises';
import { transact } from '../../server/database.ts';
import { createLoop } from '../../server/loop.ts';
import { DEFAULT_ACCOUNT, type Lane } from '../content/message.ts';
import type { DatabaseClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { type ClaimParts, claim, DAY_IS_FULL, type Group, type Room } from './claim.ts';
import { releaseClaim } from './claim-end-store.ts';
import { type LaneOfAccount, readDue } from './claim-store.ts';
import { dayOf } from './limits.ts';
import { isRobot } from './lines.ts';

/** What claiming again and again needs. */
export interface ClaimerParts extends ClaimParts {
  readonly db: Database;
  readonly clock: DatabaseClock;
  readonly now: () => number;
  readonly newId: () => string;
  /** The lanes it serves, by rank, and how often it looks for what other replicas have accepted, in ms. */
  readonly lanes: readonly Lane[];
  readonly lookMs: number;
  /** It looks at these lanes too, for somebody else who serves them, and says when something is due in one. */
  readonly watches?: { readonly lanes: readonly Lane[]; readonly onDue: () => void };
  /** The shortest time between two claims, ms: what comes due meanwhile is claimed together, which costs half. */
  readonly paceMs: number;
  /** How many calls of one account are under way in one lane at the same time. */
  readonly concurrency: number;
  /** Sends a group, and says when it does not call any more; resolves when that is recorded. Rejects only for reasons of our own, and then its leases end. */
  readonly send: (group: Group, onCalled: () => void) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Takes what is due, as long as there is room for more calls. */
export interface Claimer {
  start(): void;
  /** Something may be due. */
  wake(): void;
  /** Claims nothing more, and waits for the calls that are under way, for a while. */
  close(): Promise<void>;
}

const TRIES = 5;
/** How long it rests when the database cannot be asked, in ms. */
const AWAY_MS = 1000;
/** How long calls may take when the process ends; a call of WeCom takes 5 s at most. */
const CLOSE_MS = 12_000;

/** Makes the claimer of one replica; it does not run yet. */
export function createClaimer(parts: ClaimerParts): Claimer {
  const { db, accounts, clock, newId, lanes, watches, lookMs, paceMs, concurrency, send, onError } = parts;
  const looksAt = [...lanes, ...(watches?.lanes ?? [])];
  /** Of each account and lane how many calls are under way, and what has not been recorded. */
  const underWay = new Map<string, { calling: number; readonly open: Set<Promise<void>> }>();
  /** Of accounts that WeCom blocks it is known until when. */
  let blocked: ReadonlyMap<string, number> = new Map();
  let lostClaims: readonly Omit<Parameters<typeof releaseClaim>[1], 'clock'>[] = [];
  let timer: NodeJS.Timeout | undefined;

  const keyOf = ({ account, lane }: LaneOfAccount): string => `${lane} ${account}`;

  const roomOf = (from: LaneOfAccount, now: number): number => {
    const { account } = from;
    const sending = accounts.find(account === '' ? DEFAULT_ACCOUNT : account);
    // Not configured any more: what is queued waits until it is again.
    if (sending === undefined || (blocked.get(account) ?? 0) > now) return 0;
    const { calling = 0, open } = underWay.get(keyOf(from)) ?? {};
    // Results may wait for the database while others are called, but no more than there can be calls.
    const free = Math.min(concurrency - calling, 2 * concurrency - (open?.size ?? 0));
    const isClosed =
      sending.breaker.state() === 'closed' && (account === '' || sending.pause.state() === null);
    if (isClosed) return free;
    // One call finds out whether WeCom is back.
    const opens = [sending.breaker.until(), account === '' ? null : sending.pause.until()];
    return opens.every((at) => at === null) ? Math.min(free, 1) : 0;
  };

  const begin = (group: Group): void => {
    const [{ receiver }] = group.members;
    const key = keyOf({ account: isRobot(receiver) ? '' : group.account, lane: group.lane });
    const work = underWay.get(key) ?? { calling: 0, open: new Set() };
    underWay.set(key, work);
    work.calling += 1;
    let isCalling = true;
    const onCalled = (): void => {
      if (isCalling) work.calling -= 1;
      isCalling = false;
      loop.wake();
    };
    const sent: Promise<void> = send(group, onCalled)
      .catch(onError)
      .finally(() => {
        work.open.delete(sent);
        onCalled();
      });
    work.open.add(sent);
  };

  const claimOnce = async (rooms: readonly Room[], now: number, since: number) => {
    const owner = newId();
    let lines: readonly string[] = [];
    try {
      return await transact(db, async (tx) => {
        lines = [];
        const onLocked = (some: readonly string[]) => {
          lines = [...lines, ...some];
        };
        return claim(parts, tx, rooms, { owner, since, now, onLocked });
      });
    } catch (error) {
      // It may have been committed all the same: then nobody has begun it, and it is given back.
      if (error !== DAY_IS_FULL && lines.length > 0)
        lostClaims = [...lostClaims, { owner, lines, day: dayOf(now).number }];
      throw error;
    }
  };

  const giveBack = async (): Promise<void> => {
    for (const lost of lostClaims) {
      await transact(db, (tx) => releaseClaim(tx, { ...lost, clock }));
      lostClaims = lostClaims.filter((each) => each !== lost);
    }
  };

  /** Begins what it gets; resolves to whether there may be more. */
  const claimFor = async (rooms: readonly Room[], now: number, since: number): Promise<boolean> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const { groups, blocked: found, looked } = await claimOnce(rooms, now, since);
        blocked = new Map([...blocked, ...found]);
        for (const group of groups) begin(group);
        return looked > 0;
      } catch (error) {
        if (error !== DAY_IS_FULL || tries >= TRIES) throw error;
      }
    }
  };

  /** Resolves to whether there may be more. */
  const round = async (): Promise<boolean> => {
    clearTimeout(timer);
    await giveBack();
    // Before the database says what time it is: a lease is never believed to be longer than it is.
    const since = parts.now();
    const all = await readDue(db, looksAt, clock);
    const now = all[0]?.now ?? 0;
    const due = all.filter(({ lane }) => lanes.includes(lane));
    const rooms = due
      .filter(({ dueAt }) => dueAt <= now)
      .map(({ account, lane }): Room => ({ account, lane, count: roomOf({ account, lane }, now) }))
      .filter(({ count }) => count > 0)
      .toSorted((one, other) => lanes.indexOf(one.lane) - lanes.indexOf(other.lane));
    const soon = Math.min(...due.map(({ dueAt }) => dueAt).filter((at) => at > now)) - now;
    if (soon < lookMs) timer = setTimeout(loop.wake, soon).unref();
    const more = rooms.length > 0 && (await claimFor(rooms, now, since));
    // Now, and not before: of two claims at once each puts off receivers of the other for a moment.
    if (all.some(({ lane, dueAt }) => dueAt <= now && watches?.lanes.includes(lane))) watches?.onDue();
    return more;
  };
  const work = (): Promise<boolean> =>
    round().catch(async (error: unknown) => {
      onError(error);
      await sleep(AWAY_MS);
      return false;
    });
  const loop = createLoop({ restMs: lookMs, paceMs, work, onError });

  return {
    start() {
      loop.wake();
      loop.start();
    },
    wake: loop.wake,
    async close() {
      await loop.stop();
      clearTimeout(timer);
      const calls = [...underWay.values()].flatMap(({ open }) => [...open]);
      await within(CLOSE_MS, Promise.all(calls));
    },
  };
}

/** Waits for a promise, but not longer than so many ms. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const end = new AbortController();
  const late = sleep(ms, undefined, { signal: end.signal }).catch(() => {});
  await Promise.race([promise, late]);
  end.abort();
}
