import { type Database, isDuplicate } from '../database.ts';
import type { Lane } from '../message.ts';
import {
  type Candidate,
  type Lead,
  putOff,
  readDeliveries,
  readSiblings,
  takeDeliveries,
} from './claim-store.ts';
import { canShare, groupDeliveries, LARGEST_GROUP, type Letter, readLetter } from './group.ts';
import type { Limits, Turn } from './limits.ts';
import { isDeadlock } from './transaction.ts';

/** A delivery that is ours to send until its lease ends, with its turn. */
export interface Claimed extends Candidate {
  readonly line: string;
  /** How many its message has. */
  readonly receivers: number;
  readonly turn: Turn & { readonly isMine: true };
}

/** Deliveries that one call serves, and under whose name they were taken. */
export interface Group {
  readonly owner: string;
  readonly lane: Lane;
  readonly letter: Letter;
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
  readonly limits: Limits;
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
  const { db, limits } = parts;
  const now = parts.now();
  const claims = new Map<number, Claim>();
  const leaders: Lead[] = [];
  for (const each of await readDeliveries(db, [...new Set(ids)])) {
    const at = whenFree(each, now);
    if (at === null) continue;
    if (at > now) claims.set(each.id, { kind: 'later', at });
    else leaders.push(each);
  }
  if (leaders.length === 0) return claims;

  const groups = await gather(db, leaders, now);
  const wanted = groups.flatMap(({ members }) => members);
  const turns = await limits.take(
    lane,
    wanted.map(({ receiver }) => receiver),
  );
  const mine = new Map<number, Turn & { readonly isMine: true }>();
  const waits: { id: number; at: number }[] = [];
  wanted.forEach((each, index) => {
    const turn = turns[index];
    if (turn === undefined) throw new Error('the limits gave fewer turns than were asked for');
    if (turn.isMine) {
      mine.set(each.id, turn);
      return;
    }
    waits.push({ id: each.id, at: turn.at });
    claims.set(each.id, { kind: 'later', at: turn.at });
  });

  const owner = parts.newId();
  let taken: ReadonlySet<number> = new Set();
  try {
    await putOff(db, waits, now);
    taken = await takeDeliveries(db, [...mine.keys()], { owner, now });
  } finally {
    const unused = [...mine].filter(([id]) => !taken.has(id)).map(([, turn]) => turn);
    if (unused.length > 0) await limits.settle(unused, 'unsent');
  }
  const led = new Set(leaders.map(({ id }) => id));
  const theirs = waits.filter(({ id }) => !led.has(id)).map(({ id }) => id);
  if (theirs.length > 0) parts.schedule(linesOf(wanted, theirs));

  for (const { letter, leader, members } of groups) {
    const [first, ...rest] = members.flatMap((each): Claimed[] => {
      const turn = mine.get(each.id);
      return turn !== undefined && each.line !== null && taken.has(each.id)
        ? [{ ...each, line: each.line, receivers: letter.receivers, turn }]
        : [];
    });
    if (first === undefined) continue;
    // Its leader's job carries the group; the jobs of the others have nothing left to do.
    const { id } = leader;
    const own = claims.get(id);
    const at = own?.kind === 'later' ? own.at : null;
    claims.set(id, { kind: 'send', group: { owner, lane, letter, members: [first, ...rest] }, at });
  }
  return claims;
}

/** When a delivery may be claimed, Unix ms; null when that is not for this job to find out. */
function whenFree(
  { id, line, state, head, holder, dueAt, leaseUntil }: Candidate,
  now: number,
): number | null {
  if (line === null) return null;
  if (state === 'sending') return leaseUntil !== null && leaseUntil > now ? null : now;
  return holder !== null || head !== id ? null : dueAt;
}

interface Unclaimed {
  readonly letter: Letter;
  readonly leader: Candidate;
  readonly members: readonly Candidate[];
}

async function gather(db: Database, leaders: readonly Lead[], now: number): Promise<Unclaimed[]> {
  const byMessage = [...Map.groupBy(leaders, ({ messageId }) => messageId).values()];
  const gathered = byMessage.map(async (some): Promise<Unclaimed[]> => {
    const [first] = some;
    if (first === undefined) return [];
    const letter = readLetter(first);
    const siblings = some.some((each) => canShare(letter, each))
      ? await readSiblings(db, letter.id, now, LARGEST_GROUP)
      : [];
    const free = siblings.filter((each) => isFree(each, now));
    return groupDeliveries(letter, some, free).map((members) => ({ letter, leader: members[0], members }));
  });
  return (await Promise.all(gathered)).flat();
}

function isFree(each: Candidate, now: number): boolean {
  const at = whenFree(each, now);
  return at !== null && at <= now;
}

function linesOf(all: readonly Candidate[], ids: readonly number[]): readonly string[] {
  const some = new Set(ids);
  return all.flatMap(({ id, line }) => (line !== null && some.has(id) ? [line] : []));
}
