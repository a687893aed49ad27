import type { ErrorKind } from '../../wecom/api/errcodes.ts';
import type { Messenger } from '../../wecom/api/outgoing.ts';
import { type Lane, lanes, type ReceiverKind } from '../content/message.ts';
import { isRobot } from './accounts.ts';
import type { Breaker } from './breaker.ts';
import type { Claimed, Group } from './claim.ts';
import type { Leases } from './leases.ts';
import type { Limits, Turn } from './limits.ts';
import { type Decision, failed, readFailure, waiting } from './outcome.ts';
import { freePass, type Pass, type Pause } from './pause.ts';
import { type PrepareParts, prepare } from './prepare.ts';
import type { Record } from './record.ts';
import type { ResultRecorder } from './record-result.ts';
import type { Repeats } from './repeats.ts';
import { decideRetry } from './retry-policy.ts';
import { createSemaphore } from './semaphore.ts';
import { AWAY_MS, createPartSender, type Failed, type Members, type Some } from './send-part.ts';

/** What sending needs. */
export interface SenderParts extends PrepareParts {
  readonly messenger: Messenger;
  readonly limits: Limits;
  readonly breaker: Breaker;
  readonly pause: Pause;
  readonly recorder: ResultRecorder;
  readonly leases: Leases;
  readonly repeats: Repeats;
  /** How many calls of one lane are under way at the same time. */
  readonly concurrency: number;
  readonly now: () => number;
  readonly random: () => number;
  /** Called after every call of WeCom; `kind` is that of the receiver, `ms` how long it took. */
  readonly onAttempt: (attempt: {
    readonly lane: Lane;
    readonly kind: ReceiverKind;
    readonly errcode: string;
    readonly ms: number;
  }) => void;
  /** Why something that had its turn waits all the same. */
  readonly onWait: (reason: 'account' | 'breaker' | 'repeat' | 'wecom') => void;
  readonly onError: (error: unknown) => void;
}

/** A group on its way, with the right to call WeCom for its account. */
export interface Carried extends Group {
  readonly pass: Pass;
}

/**
 * Makes what carries a claimed group through its calls, one part after the other, each noted before the next. It
 * resolves to when this delivery of the group is to be tried again (Unix ms), or to null.
 */
export function createSender(parts: SenderParts): (group: Group, own: number) => Promise<number | null> {
  const { limits, pause, recorder, leases, media, now, random, onWait, onError } = parts;

  const gates = new Map(lanes.map((lane) => [lane, createSemaphore(parts.concurrency)]));

  const settle = (members: Members, outcome: 'sent' | 'unsent') => {
    const turns = members.map(({ turn }) => turn);
    return limits.settle(turns, outcome).catch(onError);
  };

  /** A further part is a further message in the eyes of WeCom's limits (§4.12). */
  const takeTurns = async ({ owner, lane }: Group, members: Members) => {
    const receivers = members.map(({ receiver }) => receiver);
    const turns = await limits.take(lane, receivers).catch((error: unknown): readonly Turn[] => {
      onError(error);
      return [];
    });
    const late: Record[] = [];
    const ready = members.flatMap((member, index): Members => {
      const turn = turns[index];
      if (turn?.isMine) return [{ ...member, turn }];
      late.push(waiting(member, owner, turn?.at ?? now() + AWAY_MS));
      return [];
    });
    return { ready, late };
  };

  const fail = async ({ owner, pass }: Carried, members: Some, { failure, time, mediaId }: Failed) => {
    const [at, dice] = [now(), random()];
    let until: number | undefined;
    const decideFor = ({ tries }: Claimed): Decision => {
      if (failure.isHopeless) return { kind: 'failed' };
      const decision = decideRetry(failure.error, tries + 1, () => dice);
      if (decision.kind !== 'pause') return decision;
      until ??= pass.refused(failure.error);
      return { kind: 'pause', until };
    };
    const first = decideFor(members[0]);
    if (first.kind === 'pause') onWait('account');
    else if (!UNCLEAR.includes(failure.error.kind)) pass.accepted();
    if (first.kind === 'media' && mediaId !== null) await media.forget(mediaId).catch(onError);
    if (first.kind === 'wait') {
      onWait('wecom');
      const until = at + first.forMs;
      const blocked = first.whole ? (['app'] as const) : members.map(({ receiver }) => receiver);
      await Promise.all(blocked.map((what) => limits.block(what, until).catch(onError)));
    }
    return members.map((member) =>
      failed(member, owner, failure, { decision: decideFor(member), time, now: at }),
    );
  };

  const sendPart = createPartSender({ ...parts, settle, fail });

  const carry = async (group: Carried, last: Map<number, Record>): Promise<void> => {
    /** Notes it; those remain that are still ours and have more parts to come. */
    const note = async (members: Members, records: readonly Record[]): Promise<Members> => {
      if (records.length === 0) return members;
      const noted = new Map((await recorder.note(records)).map((record) => [record.id, record]));
      for (const record of noted.values()) last.set(record.id, record);
      return members.flatMap((member): Members => {
        const record = noted.get(member.id);
        if (record?.state !== 'sending') return [];
        const { tries, parts: sent, lostAt, msgids } = record;
        return [{ ...member, tries, parts: sent, lostAt, msgids: JSON.stringify(msgids) }];
      });
    };
    const at = now();
    const prepared = await prepare(parts, group).catch((error: unknown) => readFailure(error, 'prepare'));
    if ('error' in prepared) {
      if (prepared.errcode === 'internal') onError(prepared.cause);
      await settle(group.members, 'unsent');
      const time = { at, ms: now() - at };
      await note(group.members, await fail(group, group.members, { failure: prepared, time, mediaId: null }));
      return;
    }
    for (let members: Members = group.members; ; ) {
      const [first, ...rest] = members;
      if (first === undefined) return;
      const send = () => sendPart(group, [first, ...rest], prepared);
      const records = await (gates.get(group.lane)?.(send) ?? send());
      if (records === null) return void (await settle(members, 'unsent'));
      members = await note(members, records);
      if (members.length === 0) return;
      const { ready, late } = await takeTurns(group, members);
      if (late.length > 0) await note([], late);
      members = ready;
    }
  };

  return async (group, own) => {
    const last = new Map<number, Record>();
    const entered = isRobot(group.members[0].receiver) ? freePass : pause.enter();
    if ('at' in entered) {
      onWait('account');
      await settle(group.members, 'unsent');
      await recorder.note(group.members.map((member) => waiting(member, group.owner, entered.at)));
      return entered.at;
    }
    const release = group.members.map(({ id }) => leases.hold(id, group.owner));
    try {
      await carry({ ...group, pass: entered }, last);
    } finally {
      entered.release();
      for (const letGo of release) letGo();
    }
    const record = last.get(own);
    return record?.state === 'queued' ? record.dueAt : null;
  };
}

/** Kinds of errors that say nothing about the account. */
const UNCLEAR: readonly ErrorKind[] = ['retry', 'token'];
