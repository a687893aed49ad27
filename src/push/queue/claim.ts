import type { Lane } from '../content/message.ts';
import type { Tx } from '../database/database.ts';
import { NEVER } from '../database/delivery-tables.ts';
import { takeOver } from './claim-end-store.ts';
import {
  type Candidate,
  type DueLine,
  type LaneOfAccount,
  type OutgoingMessage,
  pickLines,
  pickSiblings,
  readMessages,
  takeDeliveries,
} from './claim-store.ts';
import { groupDeliveries, MOST, takeIn } from './group.ts';
import { countsToday, dayOf, tomorrow } from './limits.ts';
import { type Limit, overLimit, placesOfDay } from './limits-check.ts';
import { byRow, readBlocks, takeOfDay } from './limits-store.ts';
import { setDue } from './line-store.ts';
import { laneOf, targetOf } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';

/** A delivery that is ours to send until its lease ends. */
export interface Claimed extends Candidate {
  /** Under which name it was claimed: what is recorded of it counts only while that lease is ours. */
  readonly owner: string;
  /** How many its message has. */
  readonly receivers: number;
  /** The day of China that it was counted for; null when it counts for none. */
  readonly day: number | null;
}

/** Deliveries that one call serves. */
export interface Group {
  /** When the claim began, by the clock of this process; Unix ms. */
  readonly since: number;
  readonly lane: Lane;
  readonly account: string;
  readonly outgoingMessage: OutgoingMessage;
  readonly members: readonly [Claimed, ...Claimed[]];
}

/** What a claim is made with. */
type ClaimParts = Pick<QueueParts, 'accounts' | 'windowsOf' | 'onLimit' | 'onError'>;

/** From where to claim, and how many calls may begin there; lanes of higher rank first. */
export interface Room extends LaneOfAccount {
  readonly count: number;
}

/** One claim. */
export interface Claim {
  /** Under which name; never used before. */
  readonly owner: string;
  /** When it began, by the clock of this process and by that of the database; Unix ms. */
  readonly since: number;
  readonly now: number;
  /** Called with lines before any of them is taken. */
  readonly onLocked: (lines: readonly string[]) => void;
}

/** When to look again at a message that cannot be read; ms. */
const UNREADABLE_MS = 60_000;

/** Another replica has used up the day meanwhile: nothing of the claim may be kept. */
export const DAY_IS_FULL = new Error('the day of an account was used up during the claim');

/**
 * Takes what is due, in one transaction of the caller's: lines that are locked, who is next in them, limits, lease and
 * order together. Who may not be sent yet is put off until it may. Resolves to what is to be sent, to until when accounts
 * are `blocked` of which nothing was claimed for that (Unix ms), and to how many lines were `looked` at: with all the room
 * filled there may be more. Throws DAY_IS_FULL.
 */
export async function claim(parts: ClaimParts, tx: Tx, rooms: readonly Room[], one: Claim) {
  const { owner, since, now, onLocked } = one;
  const blocks = await readBlocks(tx, now);
  const blocked = new Map<string, number>();
  const picked: DueLine[] = [];
  for (const room of rooms) {
    const until = blocks.get(`account/${room.account}`);
    if (until !== undefined) blocked.set(room.account, until);
    else picked.push(...(await pickLines(tx, room, { now, count: room.count })));
  }
  if (picked.length === 0) return { groups: [], blocked, looked: 0 };
  const due = picked.map(({ line }) => line);
  onLocked(due);
  const heads = await takeOver(tx, picked, now);
  const messages = await readMessages(tx, [...new Set(heads.map((head) => head.message_id))]);
  const leaders = takeIn(heads, due, messages);
  const siblings = await readSiblings(tx, leaders, due, one);

  const later = new Map<string, number>(due.map((line) => [line, NEVER]));
  // Whose turn has not come stays as it is, for the next claim.
  for (const { line } of heads.filter((head) => !leaders.includes(head))) later.delete(line);
  const putOff = (line: string, at: number, limit?: Limit) => {
    later.set(line, at);
    if (limit !== undefined) parts.onLimit({ lane: laneOf(line), limit, ms: at - now });
  };
  const ready = (each: Candidate): boolean => {
    const block = blocks.get(targetOf(each.receiver, each.account));
    if (block !== undefined) putOff(each.line, block, 'blocked');
    else if (each.due_at > now) putOff(each.line, each.due_at);
    return block === undefined && each.due_at <= now;
  };
  const open = { leaders: leaders.filter(ready), siblings: siblings.filter(ready) };
  const over = await overLimit(tx, [...open.leaders, ...open.siblings], now, parts.windowsOf);
  const within = (each: Candidate): boolean => {
    const wait = over.get(each.line);
    if (wait !== undefined) putOff(each.line, wait.at, wait.limit);
    return wait === undefined;
  };
  const grouped = [...Map.groupBy(open.leaders.filter(within), ({ message_id }) => message_id)].flatMap(
    ([messageId, some]) => {
      const outgoingMessage = messages.get(messageId);
      if (outgoingMessage === undefined) {
        parts.onError(new Error(`the message ${messageId} cannot be read`));
        for (const { line } of some) putOff(line, now + UNREADABLE_MS);
        return [];
      }
      const others = open.siblings.filter((each) => each.message_id === messageId && within(each));
      return groupDeliveries(outgoingMessage, some, others).map((members) => ({ outgoingMessage, members }));
    },
  );
  const day = await placesOfDay(
    parts.accounts,
    tx,
    grouped.flatMap(({ members }) => members),
    now,
  );
  const groups = grouped.flatMap(({ outgoingMessage, members }): readonly Group[] => {
    const [first, ...rest] = members.flatMap((each): readonly Claimed[] => {
      const isIn = day.ids.has(each.id);
      if (!isIn) putOff(each.line, tomorrow(now, each.receiver), 'day');
      else later.delete(each.line);
      const counted = countsToday(each.receiver) ? dayOf(now).number : null;
      return isIn ? [{ ...each, owner, receivers: outgoingMessage.receivers, day: counted }] : [];
    });
    if (first === undefined) return [];
    const { account, line } = first;
    return [{ since, lane: laneOf(line), account, outgoingMessage, members: [first, ...rest] }];
  });
  await setDue(tx, later);
  const ids = groups.flatMap(({ members }) => members.map(({ id }) => id));
  await takeDeliveries(
    tx,
    ids.toSorted((one, other) => one - other),
    { owner, now },
  );
  for (const taken of day.taken.toSorted(byRow)) {
    if (!(await takeOfDay(tx, taken, taken.most))) throw DAY_IS_FULL;
  }
  return { groups, blocked, looked: due.length };
}

/** Those whom a call of the same message can serve as well, and who are next in their lines. */
async function readSiblings(
  tx: Tx,
  leaders: readonly Candidate[],
  due: readonly string[],
  { now, onLocked }: Claim,
): Promise<readonly Candidate[]> {
  const shared = leaders.filter((each) => each.shared === 1 && each.due_at <= now);
  const messageIds = new Set(shared.map(({ message_id }) => message_id));
  if (messageIds.size === 0) return [];
  const picked = await pickSiblings(tx, [...messageIds], { now, but: new Set(due), most: MOST });
  onLocked(picked.map(({ line }) => line));
  const heads = await takeOver(tx, picked, now);
  return heads.filter((each) => each.shared === 1 && messageIds.has(each.message_id));
}
