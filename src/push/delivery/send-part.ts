import type { Outgoing } from '../../wecom/api/outgoing.ts';
import { call } from './call.ts';
import type { Claimed } from './claim.ts';
import { readReceiver } from './lines.ts';
import { type Failure, readFailure, type Timing, taken, waiting } from './outcome.ts';
import type { Prepared } from './prepare.ts';
import type { Record } from './record.ts';
import type { CallPlan } from './repeats.ts';
import type { Carried, SenderParts } from './send.ts';

export type Members = readonly Claimed[];
export type Some = readonly [Claimed, ...Claimed[]];

/** A call that failed, and with which media. */
export interface Failed {
  readonly failure: Failure;
  readonly time: Timing;
  readonly mediaId: string | null;
}

/** What sending one part needs from the sender of the whole. */
export interface PartSenderParts extends SenderParts {
  /** Ends the turns of these members. */
  readonly settle: (members: Members, outcome: 'sent' | 'unsent') => Promise<void>;
  /** Decides what is recorded of a call that failed. */
  readonly fail: (group: Carried, members: Some, failed: Failed) => Promise<readonly Record[]>;
}

/** How long to wait when the limits, or what was sent lately, cannot be asked; ms. */
export const AWAY_MS = 1000;

/**
 * Makes what sends the part that these members are at: one call for those whom it may serve now. It resolves to what is to
 * be recorded of all of them, or to null when a lease has ended before the call.
 */
export function createPartSender(
  parts: PartSenderParts,
): (group: Carried, members: Some, prepared: Prepared) => Promise<readonly Record[] | null> {
  const { breaker, pause, leases, repeats, settle, fail, now, onAttempt, onWait, onError } = parts;

  const callOnce = async (
    group: Carried,
    members: Some,
    { outgoing, mediaId }: Prepared,
    { message, isChecked, words }: Pick<CallPlan, 'isChecked' | 'words'> & { readonly message: Outgoing },
  ): Promise<readonly Record[]> => {
    const { owner, lane } = group;
    const [{ receiver, parts: part }] = members;
    if (!group.pass.allows()) {
      onWait('account');
      await settle(members, 'unsent');
      return members.map((member) => waiting(member, owner, pause.until() ?? now()));
    }
    // Asked last: while the breaker is half open, whoever is let through holds the only try.
    const gate = breaker.ask();
    if (gate.isOpen) {
      onWait('breaker');
      await settle(members, 'unsent');
      return members.map((member) => waiting(member, owner, gate.at));
    }
    const at = now();
    const answer = await call(parts, message, members, isChecked).catch((error: unknown) =>
      readFailure(error, 'call'),
    );
    const time = { at, ms: now() - at };
    const said =
      (isLost: boolean) =>
      (record: Record): Record => ({
        ...record,
        recent: words === null ? null : { words, part, isLost },
      });
    const failure = 'error' in answer ? answer : null;
    breaker.record(failure?.error.kind === 'retry' ? 'bad' : 'good');
    const kind = readReceiver(receiver).kind;
    onAttempt({ lane, kind, errcode: failure?.errcode ?? '0', ms: time.ms });
    void settle(members, failure?.error.errcode === 'unsent' ? 'unsent' : 'sent');
    if ('error' in answer) {
      if (answer.errcode === 'internal') onError(answer.cause);
      const records = await fail(group, members, { failure: answer, time, mediaId });
      return answer.isLost ? records.map(said(true)) : records;
    }
    group.pass.accepted();
    const isLast = part + 1 >= outgoing.length;
    return members.map((member) => taken(member, owner, answer, time, isLast)).map(said(false));
  };

  return async (group, members, prepared) => {
    const { owner } = group;
    const message = prepared.outgoing[members[0].parts];
    // Another version of Keypad may have cut it into more parts: all was sent.
    if (message === undefined) {
      await settle(members, 'unsent');
      return members.map((member) => ({ ...waiting(member, owner, now()), state: 'sent' as const }));
    }
    const plan = await repeats.plan(group, members, message).catch((error: unknown): CallPlan => {
      onError(error);
      const late = members.map((member) => ({ member, at: now() + AWAY_MS }));
      return { members: [], isChecked: false, late, words: null };
    });
    // Whoever's lease has ended, because this process stood still, is in other hands, and flagged.
    if (!members.every(({ id }) => leases.isHeld(id))) return null;
    const late = plan.late.map(({ member, at }) => waiting(member, owner, at));
    if (late.length > 0) {
      onWait('repeat');
      await settle(
        plan.late.map(({ member }) => member),
        'unsent',
      );
    }
    const [first, ...rest] = plan.members;
    if (first === undefined) return late;
    return [...late, ...(await callOnce(group, [first, ...rest], prepared, { ...plan, message }))];
  };
}
