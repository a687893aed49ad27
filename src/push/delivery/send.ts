import type { Messenger } from '../../wecom/api/outgoing.ts';
import { type Lane, lanes, type ReceiverKind } from '../content/message.ts';
import type { Breaker } from './breaker.ts';
import { call } from './call.ts';
import type { Claimed, Group } from './claim.ts';
import type { Leases } from './leases.ts';
import type { Limits, Turn } from './limits.ts';
import { readReceiver } from './lines.ts';
import { type Failure, failed, readFailure, type Timing, taken, waiting } from './outcome.ts';
import { type Prepared, type PrepareParts, prepare } from './prepare.ts';
import type { Record } from './record.ts';
import type { ResultRecorder } from './record-result.ts';
import { decideRetry, type RetryDecision } from './retry-policy.ts';
import { createSemaphore } from './semaphore.ts';

/** What sending needs. */
export interface SenderParts extends PrepareParts {
  readonly messenger: Messenger;
  readonly limits: Limits;
  readonly breaker: Breaker;
  readonly recorder: ResultRecorder;
  readonly leases: Leases;
  /** How many calls of one lane are under way at the same time. */
  readonly concurrency: number;
  readonly now: () => number;
  readonly random: () => number;
  /** Told of every call; `kind` is that of the receiver, `ms` how long it took. */
  readonly onAttempt: (attempt: {
    readonly lane: Lane;
    readonly kind: ReceiverKind;
    readonly errcode: string;
    readonly ms: number;
  }) => void;
  /** Why something that had its turn waits all the same. */
  readonly onWait: (reason: 'breaker' | 'wecom') => void;
  readonly onError: (error: unknown) => void;
}

type Members = readonly Claimed[];
type Some = readonly [Claimed, ...Claimed[]];

/** How long to wait when the limits cannot be asked; ms. */
const LIMITS_AWAY_MS = 1000;

/**
 * Makes what carries a claimed group through its calls, one part after the other, each noted before the next. It
 * resolves to when this delivery of the group is to be tried again (Unix ms), or to null.
 */
export function createSender(parts: SenderParts): (group: Group, own: number) => Promise<number | null> {
  const { limits, breaker, recorder, leases, media, now, random, onAttempt, onWait, onError } = parts;

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
      late.push(waiting(member, owner, turn?.at ?? now() + LIMITS_AWAY_MS));
      return [];
    });
    return { ready, late };
  };

  const fail = async ({ owner }: Group, members: Some, { failure, time, mediaId }: Failed) => {
    const [at, dice] = [now(), random()];
    const decideFor = ({ tries }: Claimed): RetryDecision =>
      failure.isHopeless ? { kind: 'failed' } : decideRetry(failure.error, tries + 1, () => dice);
    const first = decideFor(members[0]);
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

  /** One call, and what is to be noted of it. */
  const sendPart = async (
    group: Group,
    members: Some,
    { outgoing, mediaId }: Prepared,
  ): Promise<readonly Record[]> => {
    const { owner, lane } = group;
    const [{ receiver, parts: part }] = members;
    const message = outgoing[part];
    // Another version of Keypad may have cut it into more parts: all was sent.
    if (message === undefined) {
      await settle(members, 'unsent');
      return members.map((member) => ({ ...waiting(member, owner, now()), state: 'sent' as const }));
    }
    // Asked last: while the breaker is half open, whoever is let through holds the only try.
    const gate = breaker.ask();
    if (gate.isOpen) {
      onWait('breaker');
      await settle(members, 'unsent');
      return members.map((member) => waiting(member, owner, gate.at));
    }
    const at = now();
    const answer = await call(parts, message, members, at).catch((error: unknown) =>
      readFailure(error, 'call'),
    );
    const time = { at, ms: now() - at };
    const failure = 'error' in answer ? answer : null;
    breaker.told(failure?.error.kind === 'retry' ? 'bad' : 'good');
    const kind = readReceiver(receiver).kind;
    onAttempt({ lane, kind, errcode: failure?.errcode ?? '0', ms: time.ms });
    void settle(members, failure?.error.errcode === 'unsent' ? 'unsent' : 'sent');
    if ('error' in answer) {
      if (answer.errcode === 'internal') onError(answer.cause);
      return await fail(group, members, { failure: answer, time, mediaId });
    }
    const isLast = part + 1 >= outgoing.length;
    return members.map((member) => taken(member, owner, answer, time, isLast));
  };

  const carry = async (group: Group, last: Map<number, Record>): Promise<void> => {
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
      const send = async () =>
        members.every(({ id }) => leases.isHeld(id))
          ? await sendPart(group, [first, ...rest], prepared)
          : null;
      const records = await (gates.get(group.lane)?.(send) ?? send());
      // Whoever's lease has ended, because this process stood still, is in other hands, and flagged.
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
    const release = group.members.map(({ id }) => leases.hold(id, group.owner));
    try {
      await carry(group, last);
    } finally {
      for (const letGo of release) letGo();
    }
    const record = last.get(own);
    return record?.state === 'queued' ? record.dueAt : null;
  };
}

interface Failed {
  readonly failure: Failure;
  readonly time: Timing;
  readonly mediaId: string | null;
}
