import { setTimeout as sleep } from 'node:timers/promises';
import { transact } from '../../server/database.ts';
import { createLoop } from '../../server/loop.ts';
import { DEFAULT_ACCOUNT, type Lane, lanes } from '../content/message.ts';
import { createCalls } from './calls.ts';
import { claim, DAY_IS_FULL, type Group, type Room } from './claim.ts';
import { type LostClaim, releaseClaim } from './claim-end-store.ts';
import { type LaneOfAccount, readDue } from './claim-store.ts';
import { dayOf } from './limits.ts';
import { isRobot } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';

/** What claiming again and again needs. */
export interface ClaimerParts extends QueueParts {
  /** How many calls of one account are under way in one lane at the same time. */
  readonly concurrency: number;
  /** Sends a group, and says when it does not call any more; resolves when that is recorded. Rejects only for reasons of our own, and then its leases end. */
  readonly send: (group: Group, onCalled: () => void) => Promise<void>;
}

/**
 * How often it is looked for what other replicas have accepted, in ms: it is to be noticed within 250, an alert within 100.
 * An idle replica costs the database little more than these looks, so the claims of alerts look for those of other lanes.
 */
const LOOK_MS = 90;
/** How often the claims of other lanes look by themselves, in ms: those of alerts may be held up. */
const OWN_LOOK_MS = 1000;
/** The shortest time between two claims of other lanes than alerts, in ms: what comes due meanwhile is claimed together, which costs half. */
const PACE_MS = 10;
/** How long it rests when the database cannot be asked, in ms. */
const AWAY_MS = 1000;

/**
 * Makes what takes what is due as long as there is room for more calls; it does not run yet. Alerts have claims of their
 * own: they never wait for a large one of another lane.
 */
export function createClaimer(parts: ClaimerParts) {
  const { db, accounts, onError } = parts;
  const calls = createCalls(parts.concurrency);
  /** Of accounts that WeCom blocks it is known until when. */
  let blocked: ReadonlyMap<string, number> = new Map();

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

  /** The claims of some lanes, one after the other. `onLook` hears of the lanes in which something is due. */
  const claimsOf = (
    own: readonly Lane[],
    pace: { readonly restMs: number; readonly paceMs: number },
    onLook: (due: readonly Lane[]) => void,
  ) => {
    let lostClaims: readonly LostClaim[] = [];
    /** How long until something of it comes due, or it looks again; ms. */
    let { restMs } = pace;

    const begin = (group: Group): void => {
      const [{ receiver }] = group.members;
      const from = { account: isRobot(receiver) ? '' : group.account, lane: group.lane };
      calls.begin(from, (onCalled) => parts.send(group, onCalled).catch(onError), loop.wake);
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
      const lines: string[] = [];
      const onLocked = (some: readonly string[]) => void lines.push(...some);
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
      await giveBack();
      // Before the database says what time it is: a lease is never believed to be longer than it is.
      const since = parts.now();
      const all = await readDue(db, lanes);
      const now = all[0]?.now ?? 0;
      const due = all.filter(({ dueAt }) => dueAt <= now);
      // While one call finds out whether WeCom takes an account back, its alerts go first: also one that is being made
      // ready, before it has come to the breaker.
      const yields = ({ account, lane }: LaneOfAccount): boolean =>
        lane !== 'alert' &&
        !isOpen(account) &&
        (due.some((each) => each.account === account && each.lane === 'alert') ||
          calls.isCalling({ account, lane: 'alert' }));
      const rooms = due
        .filter((from) => own.includes(from.lane) && !yields(from))
        .map(({ account, lane }): Room => ({ account, lane, count: roomOf({ account, lane }, now) }))
        .filter(({ count }) => count > 0)
        .toSorted((one, other) => lanes.indexOf(one.lane) - lanes.indexOf(other.lane));
      const more = rooms.length > 0 && (await claimFor(rooms, now, since));
      // Now, and not before: of two claims at once each puts off receivers of the other for a moment.
      onLook(due.map(({ lane }) => lane));
      const later = all.filter(({ lane, dueAt }) => own.includes(lane) && dueAt > now);
      restMs = Math.min(pace.restMs, ...later.map(({ dueAt }) => dueAt - now));
      return more;
    };
    const work = (): Promise<boolean> =>
      round().catch(async (error: unknown) => {
        onError(error);
        await sleep(AWAY_MS);
        return false;
      });
    const loop = createLoop({ ...pace, restMs: () => restMs, work, onError });
    return loop;
  };

  const others = claimsOf(['normal', 'bulk'], { restMs: OWN_LOOK_MS, paceMs: PACE_MS }, () => {});
  const alerts = claimsOf(['alert'], { restMs: LOOK_MS, paceMs: 0 }, (due) => {
    if (due.some((lane) => lane !== 'alert')) others.wake();
  });
  /** Something may be due. */
  const wake = (): void => {
    alerts.wake();
    others.wake();
  };
  return {
    wake,
    start(): void {
      wake();
      alerts.start();
      others.start();
    },
    /** Claims nothing more, and waits for the calls that are under way, for a while. */
    async close(): Promise<void> {
      await Promise.all([alerts.stop(), others.stop()]);
      await calls.settle();
    },
  };
}
