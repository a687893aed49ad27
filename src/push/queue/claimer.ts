import { setTimeout as sleep } from 'node:timers/promises';
import { transact } from '../../server/database.ts';
import { createLoop } from '../../server/loop.ts';
import { DEFAULT_ACCOUNT, type Lane } from '../content/message.ts';
import type { Calls } from './calls.ts';
import { claim, DAY_IS_FULL, type Group, type Room } from './claim.ts';
import { type LostClaim, releaseClaim } from './claim-end-store.ts';
import { type LaneOfAccount, readDue } from './claim-store.ts';
import { dayOf } from './limits.ts';
import { isRobot } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';

/** What claiming again and again needs. */
export interface ClaimerParts extends QueueParts {
  /** The lanes it serves, by rank, and how often it looks for what other replicas have accepted, in ms. */
  readonly lanes: readonly Lane[];
  readonly lookMs: number;
  /** It looks at these lanes too, for somebody else who serves them, and says when something is due in one. */
  readonly watches?: { readonly lanes: readonly Lane[]; readonly onDue: () => void };
  /** While one call finds out whether WeCom takes an account back, what is due in these lanes of it goes first. */
  readonly yieldsTo?: readonly Lane[];
  /** The shortest time between two claims, ms: what comes due meanwhile is claimed together, which costs half. */
  readonly paceMs: number;
  /** Those of all claimers of the process. */
  readonly calls: Calls;
  /** Sends a group, and says when it does not call any more; resolves when that is recorded. Rejects only for reasons of our own, and then its leases end. */
  readonly send: (group: Group, onCalled: () => void) => Promise<void>;
}

/** How long it rests when the database cannot be asked, in ms. */
const AWAY_MS = 1000;

/** Makes what takes what is due as long as there is room for more calls; it does not run yet. */
export function createClaimer(parts: ClaimerParts) {
  const { db, accounts, lanes, watches, yieldsTo = [], lookMs, paceMs, calls, send, onError } = parts;
  const looksAt = [...lanes, ...(watches?.lanes ?? [])];
  /** Of accounts that WeCom blocks it is known until when. */
  let blocked: ReadonlyMap<string, number> = new Map();
  let lostClaims: readonly LostClaim[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** Whether nothing holds up the calls of an account. */
  const isOpen = (account: string): boolean => {
    const sending = accounts.find(account === '' ? DEFAULT_ACCOUNT : account);
    return sending?.breaker.state() === 'closed' && (account === '' || sending.pause.state() === null);
  };

  const roomOf = (from: LaneOfAccount, now: number): number => {
    const { account } = from;
    const sending = accounts.find(account === '' ? DEFAULT_ACCOUNT : account);
    // Not configured any more: what is queued waits until it is again.
    if (sending === undefined || (blocked.get(account) ?? 0) > now) return 0;
    const free = calls.room(from);
    if (isOpen(account)) return free;
    // One call finds out whether WeCom is back.
    const opens = [sending.breaker.until(), account === '' ? null : sending.pause.until()];
    return opens.every((at) => at === null) ? Math.min(free, 1) : 0;
  };

  const begin = (group: Group): void => {
    const [{ receiver }] = group.members;
    const from = { account: isRobot(receiver) ? '' : group.account, lane: group.lane };
    calls.begin(from, (onCalled) => send(group, onCalled).catch(onError), loop.wake);
  };

  const giveBack = async (): Promise<void> => {
    for (const lost of lostClaims) {
      await transact(db, (tx) => releaseClaim(tx, lost));
      lostClaims = lostClaims.filter((each) => each !== lost);
    }
  };

  /** Begins what it gets; resolves to whether there may be more. */
  const claimFor = async (rooms: readonly Room[], now: number, since: number): Promise<boolean> => {
    const owner = parts.newId();
    let lines: readonly string[] = [];
    const onLocked = (some: readonly string[]): void => {
      lines = [...lines, ...some];
    };
    try {
      const claimed = await transact(db, (tx) => claim(parts, tx, rooms, { owner, since, now, onLocked }));
      blocked = new Map([...blocked, ...claimed.blocked]);
      for (const group of claimed.groups) begin(group);
      return claimed.looked > 0;
    } catch (error) {
      // Nothing of it was kept, and the next one sees what is left of the day.
      if (error === DAY_IS_FULL) return true;
      // It may have been committed all the same: then nobody has begun it, and it is given back.
      if (lines.length > 0) lostClaims = [...lostClaims, { owner, lines, day: dayOf(now).number }];
      throw error;
    }
  };

  /** Resolves to whether there may be more. */
  const round = async (): Promise<boolean> => {
    clearTimeout(timer);
    await giveBack();
    // Before the database says what time it is: a lease is never believed to be longer than it is.
    const since = parts.now();
    const all = await readDue(db, looksAt);
    const now = all[0]?.now ?? 0;
    const due = all.filter(({ lane }) => lanes.includes(lane));
    const isShut = due.some(({ account, dueAt }) => dueAt <= now && !isOpen(account));
    const ahead = isShut && yieldsTo.length > 0 ? await readDue(db, yieldsTo) : [];
    // Also while one is being made ready, before it has come to the breaker.
    const yields = (account: string): boolean =>
      !isOpen(account) &&
      (ahead.some((each) => each.account === account && each.dueAt <= each.now) ||
        yieldsTo.some((lane) => calls.isCalling({ account, lane })));
    const rooms = due
      .filter(({ account, dueAt }) => dueAt <= now && !yields(account))
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
    start(): void {
      loop.wake();
      loop.start();
    },
    /** Something may be due. */
    wake: loop.wake,
    /** Claims nothing more, and waits for the calls that are under way, for a while. */
    async close(): Promise<void> {
      await loop.stop();
      clearTimeout(timer);
      await calls.settle();
    },
  };
}
