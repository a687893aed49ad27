import { hash } from 'node:crypto';
import { createBatcher } from '../../server/batch.ts';
import type { Outgoing } from '../../wecom/api/outgoing.ts';
import type { Database } from '../database/database.ts';
import type { Claimed, Group } from './claim.ts';
import { otherLines, readReceiver } from './lines.ts';
import {
  pruneRecentSends,
  readBusyElsewhere,
  readSameWords,
  type SameWords,
  type Words,
} from './repeats-store.ts';

/**
 * For how long WeCom is asked to recognise a repeat, in seconds: longer than all tries of one part take, which are eight
 * calls of 5 s and the waits between them (retry-policy.ts). Each try carries the same, so that each is the same call.
 */
export const CHECK_SECONDS = 180;

/** The same on our side, with room for clocks of replicas that differ; ms. */
const WINDOW_MS = CHECK_SECONDS * 1000 + 5000;

/**
 * How a part may be sent to a receiver: `checked`, because nothing else that was sent lately reads the same; `unchecked`,
 * because something does, and WeCom would drop this; or not before `wait` (Unix ms).
 */
type RepeatCheck = 'checked' | 'unchecked' | { readonly wait: number };

/** Which members of a group a call may serve now, and how; the others when they may (Unix ms). */
export interface CallPlan {
  readonly members: readonly Claimed[];
  readonly isChecked: boolean;
  readonly late: readonly { readonly member: Claimed; readonly at: number }[];
  /** The digest of what the call says; null where WeCom has no check for repeats. */
  readonly words: string | null;
}

/** What keeps a repeated try, which WeCom should drop, apart from a message that only reads the same. */
export interface Repeats {
  /** Plans the call that sends a message, the part that the members are at, to those of them whom it may serve. */
  plan(group: Group, members: readonly [Claimed, ...Claimed[]], message: Outgoing): Promise<CallPlan>;
  /** Forgets what can no longer be mistaken. */
  prune(): Promise<void>;
}

/** Makes the check against what all replicas have sent, which stands in the database. */
export function createRepeats(db: Database, now: () => number): Repeats {
  const look = createBatcher<Words, { readonly same: readonly SameWords[]; readonly isBusy: boolean }>(
    async (asked) => {
      const [same, busy] = await Promise.all([
        readSameWords(db, asked, now() - WINDOW_MS),
        readBusyElsewhere(db, asked),
      ]);
      const byReceiver = Map.groupBy(same, ({ receiver }) => receiver);
      return asked.map(({ receiver, lane, account, words }) => ({
        same: (byReceiver.get(receiver) ?? []).filter((each) => each.words === words),
        isBusy: otherLines(lane, receiver, account).some((line) => busy.has(line)),
      }));
    },
    { size: 500, parallel: 3 },
  );

  const check = async (
    { receiver, messageId, parts: part, lostAt }: Claimed,
    { lane, account, words }: Omit<Words, 'receiver'>,
  ) => {
    const { same, isBusy } = await look({ receiver, lane, account, words });
    const others = same.filter((each) => each.messageId !== messageId || each.part !== part);
    return decideCheck(others, isBusy, lostAt !== null);
  };
  return {
    async plan({ lane, account }, members, message) {
      const { kind } = readReceiver(members[0].receiver);
      if (kind === 'chat' || kind === 'robot') return { members, isChecked: false, late: [], words: null };
      // What another app says is no repeat of this, whatever the words.
      const words = hash('sha1', JSON.stringify([account, message.msgtype, message.body]), 'base64url');
      const checks = await Promise.all(members.map((member) => check(member, { lane, account, words })));
      return { ...planCall(members, checks, now()), words };
    },
    prune: () => pruneRecentSends(db, now() - WINDOW_MS),
  };
}

/**
 * A look-alike goes out at once and unchecked, so that it arrives. Where an answer to the earlier one was lost, WeCom or the
 * network is in trouble, and the next answer may be lost as well: there the look-alike waits until WeCom has forgotten the
 * earlier one, and is then checked like every first.
 */
export function decideCheck(
  others: readonly Pick<SameWords, 'at' | 'lost'>[],
  isBusy: boolean,
  isRetry: boolean,
): RepeatCheck {
  const lost = others.filter((each) => each.lost === 1).map(({ at }) => at);
  if (lost.length > 0 && !isRetry) return { wait: Math.max(...lost) + WINDOW_MS };
  return others.length > 0 || isBusy ? 'unchecked' : 'checked';
}

/** Those who have had the same lately get a call of their own, so that the check still holds for all the others. */
function planCall(members: readonly Claimed[], checks: readonly RepeatCheck[], now: number) {
  const having = (wanted: RepeatCheck) => members.filter((_, index) => checks[index] === wanted);
  const [checked, unchecked] = [having('checked'), having('unchecked')];
  const isChecked = checked.length > 0;
  const late = members.flatMap((member, index) => {
    const found = checks[index];
    if (typeof found === 'object') return [{ member, at: found.wait }];
    return found === 'unchecked' && isChecked ? [{ member, at: now }] : [];
  });
  return { members: isChecked ? checked : unchecked, isChecked, late };
}
