import { isDeadlock } from '../../server/mysql-errors.ts';
import type { Lane } from '../content/message.ts';
import { type Database, isDuplicate } from '../database/database.ts';
import { type SendingAccounts, whenOpen } from './accounts.ts';
import { type Candidate, putBack, readDeliveries, takeDeliveries } from './claim-store.ts';
import { gather, whenFree } from './gather.ts';
import type { OutgoingMessage } from './group.ts';
import type { Turn } from './limits.ts';

/** A delivery that is ours to send until its lease ends, with its turn. */
export interface Claimed extends Candidate {
  readonly line: string;
  /** How many its message has. */
  readonly receivers: number;
  readonly turn: MyTurn;
}

/** Deliveries that one call serves, and under whose name they were taken. */
export interface Group {
  readonly owner: string;
  readonly lane: Lane;
  readonly account: string;
  readonly outgoingMessage: OutgoingMessage;
  readonly members: readonly [Claimed, ...Claimed[]];
}

/**
 * What a worker does with its job: `send` the group, ask again `at` a time (Unix ms), or nothing, because the delivery
 * is done, is in other hands, or will be scheduled by whoever finishes the one before it.
 */
export type Claim =
  /** `at` stands when the job's own delivery has to wait, and it carries those of its message that need not. */
  | { readonly kind: 'send'; readonly group: Group; readonly at: number | null }
  | { readonly kind: 'later'; readonly at: number }
  | { readonly kind: 'nothing' };

/** What claiming needs. */
export interface ClaimParts {
  readonly db: Database;
  readonly accounts: SendingAccounts;
  readonly now: () => number;
  readonly newId: () => string;
  readonly schedule: (lines: readonly string[]) => void;
}

/** How often a claim is begun anew because somebody was faster in one of its lines. */
const TRIES = 5;

/** Takes the deliveries of jobs that run at the same moment, and whoever shares a call with them; answers in order. */
export async function claim(
  parts: ClaimParts,
  lane: Lane,
  ids: readonly number[],
): Promise<readonly Claim[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      const claims = await tryToClaim(parts, lane, ids);
      return ids.map((id) => claims.get(id) ?? { kind: 'nothing' });
    } catch (error) {
      if (tries >= TRIES || !(isDuplicate(error) || isDeadlock(error))) throw error;
    }
  }
}

async function tryToClaim(parts: ClaimParts, lane: Lane, ids: readonly number[]) {
  const { db } = parts;
  const now = parts.now();
  const claims = new Map<number, Claim>();
  const found = await readDeliveries(db, [...new Set(ids)]);
  const open = found.filter((each) => {
    const free = whenFree(each, now);
    if (free === null) return true;
    // Whose account is paused, or is not configured any more, waits in its line.
    const opens = whenOpen(parts.accounts, each, now);
    const at = Math.max(free, opens ?? now);
    if (at > now) claims.set(each.id, { kind: 'later', at });
    return opens === null;
  });
  const { groups, left } = await gather(db, open, now);
  const wanted = groups.flatMap(({ members }) => members);
  const owner = parts.newId();
  const taken = await takeDeliveries(
    db,
    wanted.map(({ id }) => id),
    { owner, now },
  );
  const ours = wanted.filter(({ id }) => taken.has(id));
  const { mine, waits } = await takeTurns(parts, lane, ours, owner);
  for (const { id, at } of waits) claims.set(id, { kind: 'later', at });

  // Of these nobody has a job: they come along with the first of them, or by themselves.
  const led = new Set(groups.map(({ members: [leader] }) => leader.id));
  const waiting = new Set(waits.map(({ id }) => id));
  const theirs = [...left, ...ours.filter(({ id }) => waiting.has(id) && !led.has(id))];
  if (theirs.length > 0) parts.schedule(theirs.flatMap(({ line }) => line ?? []));

  for (const { outgoingMessage, members: all } of groups) {
    const [leader] = all;
    const [first, ...rest] = all.flatMap((each): Claimed[] => {
      const turn = mine.get(each.id);
      return turn === undefined || each.line === null
        ? []
        : [{ ...each, line: each.line, receivers: outgoingMessage.receivers, turn }];
    });
    if (first === undefined) continue;
    // Its leader's job carries the group, also when the leader itself has to wait.
    const own = claims.get(leader.id);
    const at = own?.kind === 'later' ? own.at : null;
    claims.set(leader.id, {
      kind: 'send',
      group: { owner, lane, account: first.account, outgoingMessage, members: [first, ...rest] },
      at,
    });
  }
  return claims;
}

type MyTurn = Turn & { readonly isMine: true };

/**
 * Asks for turns for what was taken, and puts back what has none. In this order the restoring of the limits, which may
 * begin at any moment, sees in the database whoever may be about to be sent.
 */
async function takeTurns(
  { db, accounts, now }: ClaimParts,
  lane: Lane,
  taken: readonly Candidate[],
  owner: string,
) {
  const mine = new Map<number, MyTurn>();
  const waits: { id: number; at: number }[] = [];
  if (taken.length === 0) return { mine, waits };
  const byAccount = Map.groupBy(taken, ({ account }) => account);
  const turnsOf = async ([account, some]: readonly [string, readonly Candidate[]]) => {
    const receivers = some.map(({ receiver }) => receiver);
    // Taken out of the configuration at this moment: the next claim sees it.
    const limits = accounts.find(account)?.limits;
    const turns = await limits?.take(lane, receivers);
    return some.map(({ id }, index) => ({ id, turn: turns?.[index] }));
  };
  const turns = await Promise.all([...byAccount].map(turnsOf)).catch(async (error: unknown) => {
    await putBack(
      db,
      taken.map(({ id }) => ({ id, at: now() })),
      owner,
    );
    throw error;
  });
  for (const { id, turn } of turns.flat()) {
    if (turn?.isMine) mine.set(id, turn);
    else waits.push({ id, at: turn?.at ?? now() });
  }
  await putBack(db, waits, owner);
  return { mine, waits };
}
