import { hash } from 'node:crypto';
import { createBatcher } from '../../server/batch.ts';
import type { Outgoing } from '../../wecom/api/outgoing.ts';
import { readReceiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { Claimed, Group } from '../queue/claim.ts';
import { otherLines, targetOf } from '../queue/lines.ts';
import { readOwned, readSame, type Said, type Same, WINDOW_MS } from './repeats-store.ts';

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
export type Repeats = ReturnType<typeof createRepeats>;

/** Makes the check against what all replicas have sent, which stands in the attempts. */
export function createRepeats(db: Database) {
  const look = createBatcher(
    async (said: readonly Said[]) => {
      const [same, owned] = await Promise.all([
        readSame(db, said),
        readOwned(db, [...new Set(said.flatMap(({ line }) => otherLines(line)))]),
      ]);
      const byTarget = Map.groupBy(same, ({ target }) => target);
      return said.map(({ line, target, words }) => ({
        same: (byTarget.get(target) ?? []).filter((each) => each.words === words || each.words === null),
        isBusy: otherLines(line).some((other) => owned.has(other)),
      }));
    },
    { size: 500, parallel: 3 },
  );

  const check = async ({ id, line, receiver, account, parts: part, lost_at }: Claimed, words: string) => {
    const { same, isBusy } = await look({ line, target: targetOf(receiver, account), words });
    const others = same.filter((each) => each.deliveryId !== id || each.part !== part);
    const known = others.filter((each) => each.words !== null);
    return decideCheck(known, isBusy || known.length < others.length, lost_at !== null);
  };
  return {
    /** Plans the call that sends the part that a group is at to those of it whom it may serve. */
    async plan({ account, members }: Group, message: Outgoing): Promise<CallPlan> {
      const { kind } = readReceiver(members[0].receiver);
      if (kind === 'chat' || kind === 'robot') return { members, isChecked: false, late: [], words: null };
      // What another app says is no repeat of this, whatever the words.
      const words = hash('sha1', JSON.stringify([account, message.msgtype, message.body]), 'base64url');
      const checks = await Promise.all(members.map((member) => check(member, words)));
      return { ...planCall(members, checks), words };
    },
  };
}

/**
 * A look-alike goes out at once and unchecked, so that it arrives. Where an answer to the earlier one was lost, WeCom or the
 * network is in trouble, and the next answer may be lost as well: there the look-alike waits until WeCom has forgotten the
 * earlier one, and is then checked like every first.
 */
export function decideCheck(
  others: readonly Pick<Same, 'at' | 'lost'>[],
  isBusy: boolean,
  isRetry: boolean,
): RepeatCheck {
  const lost = others.filter((each) => each.lost === 1).map(({ at }) => at);
  if (lost.length > 0 && !isRetry) return { wait: Math.max(...lost) + WINDOW_MS };
  return others.length > 0 || isBusy ? 'unchecked' : 'checked';
}

/** Those who have had the same lately get a call of their own, so that the check still holds for all the others. */
function planCall(members: readonly Claimed[], checks: readonly RepeatCheck[]) {
  const having = (wanted: RepeatCheck) => members.filter((_, index) => checks[index] === wanted);
  const [checked, unchecked] = [having('checked'), having('unchecked')];
  const isChecked = checked.length > 0;
  const late = members.flatMap((member, index) => {
    const found = checks[index];
    if (typeof found === 'object') return [{ member, at: found.wait }];
    return found === 'unchecked' && isChecked ? [{ member, at: member.due_at }] : [];
  });
  return { members: isChecked ? checked : unchecked, isChecked, late };
}
