import type { SendingAccounts } from '../accounts/accounts.ts';
import { lanes } from '../content/message.ts';
import type { Tx } from '../database/database.ts';
import { type Candidate, readOthers } from './claim-store.ts';
import { countsToday, dayOf, freeAt, limitKind, type Usage } from './limits.ts';
import { findClose, readDay, readUsage } from './limits-store.ts';
import { laneOf, otherLines, targetOf } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';

/** Why a delivery has to wait. `lane`: the next place belongs to a lane of higher rank. */
export type Limit = 'member' | 'robot' | 'day' | 'blocked' | 'lane';

/** When to look again at a line beside which somebody does something at this moment, or goes first; ms. */
const SOON_MS = 50;

/** Until when somebody has to wait (Unix ms), and for which limit. */
export type Wait = { readonly at: number; readonly limit: Limit };

/** Who is over a limit of a minute or an hour, and until when. */
export async function overLimit(
  tx: Tx,
  candidates: readonly Candidate[],
  now: number,
  windowsOf: QueueParts['windowsOf'],
): Promise<ReadonlyMap<string, Wait>> {
  const counted = new Map(
    candidates.flatMap(({ receiver, account }) => {
      const windows = windowsOf(receiver);
      const target = targetOf(receiver, account);
      return windows === null ? [] : [[target, { target, windows }] as const];
    }),
  );
  const close = new Map((await findClose(tx, [...counted.values()], now)).map((each) => [each.target, each]));
  if (close.size === 0) return new Map();
  const those = candidates.flatMap((candidate) => {
    const found = close.get(targetOf(candidate.receiver, candidate.account));
    return found === undefined ? [] : [{ candidate, target: found.target }];
  });
  const lines = new Set(those.flatMap(({ candidate }) => otherLines(candidate.line)));
  // In this order a call of another lane that ends meanwhile is seen as under way, or among those that have ended.
  // Who looks again soon is as good as due.
  const others = await readOthers(tx, [...lines].sort(), now + SOON_MS);
  const usage = await readUsage(tx, [...close.values()]);
  return new Map(
    those.flatMap(({ candidate, target }) => {
      const wait = waitOf(candidate, usage.get(target) ?? [], { others, now });
      return wait === null ? [] : [[candidate.line, wait] as const];
    }),
  );
}

/**
 * Calls that are under way in other lanes take a place. Whoever is due in a lane of higher rank goes first, and keeps the
 * next one. Of a line that somebody has at this moment it is not known: it is taken to be due.
 */
function waitOf(
  { line, receiver }: Candidate,
  used: Usage,
  { others, now }: { readonly others: Awaited<ReturnType<typeof readOthers>>; readonly now: number },
): Wait | null {
  let [underWay, higher, unknown] = [0, 0, 0];
  for (const other of otherLines(line)) {
    const found = others.get(other);
    const isHigher = lanes.indexOf(laneOf(other)) < lanes.indexOf(laneOf(line));
    if (found === undefined) continue;
    if (found === 'unknown') [higher, unknown] = isHigher ? [higher + 1, unknown] : [higher, unknown + 1];
    else if (found.isOwned) underWay += 1;
    else if (found.isDue && isHigher) higher += 1;
  }
  const limit = limitKind(receiver) === 'robot' ? 'robot' : 'member';
  const own = freeAt(used, underWay);
  if (own > now) return { at: own, limit };
  if (higher > 0) return { at: Math.max(freeAt(used, underWay + higher), now + SOON_MS), limit: 'lane' };
  return freeAt(used, underWay + unknown) > now ? { at: now + SOON_MS, limit: 'lane' } : null;
}

/**
 * Who of these still has a place in the day of its account; lanes of higher rank first. `taken` is what is to be taken of
 * days, and how much of them may be used at `most`.
 */
export async function placesOfDay(
  accounts: SendingAccounts,
  tx: Tx,
  members: readonly Candidate[],
  now: number,
) {
  const day = dayOf(now).number;
  const counted = Map.groupBy(
    members.filter(({ receiver }) => countsToday(receiver)),
    ({ account }) => account,
  );
  const ids = new Set(members.filter(({ receiver }) => !countsToday(receiver)).map(({ id }) => id));
  const used = await readDay(tx, [...counted.keys()], day);
  const taken = [...counted].map(([account, some]) => {
    // One that was taken out of the configuration at this moment is given back before it is sent.
    const most = 200 * (accounts.find(account)?.accountLimit() ?? Number.MAX_SAFE_INTEGER / 200);
    const within = some.slice(0, Math.max(0, most - (used.get(account) ?? 0)));
    for (const { id } of within) ids.add(id);
    return { account, day, count: within.length, most };
  });
  return { ids, taken: taken.filter(({ count }) => count > 0) };
}
