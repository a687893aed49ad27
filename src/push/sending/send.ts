import type { Messenger } from '../../wecom/api/messenger.ts';
import type { Breaker } from '../accounts/breaker.ts';
import { freePass, type Pass, type Pause } from '../accounts/pause.ts';
import { type Lane, type ReceiverKind, readReceiver } from '../content/message.ts';
import type { Claimed, Group } from '../queue/claim.ts';
import type { Leases } from '../queue/leases.ts';
import { isRobot, targetOf } from '../queue/lines.ts';
import type { Result } from '../queue/record-store.ts';
import type { Recorder } from '../queue/recorder.ts';
import { call } from './call.ts';
import { type Failure, failed, readFailure, taken, waiting } from './outcome.ts';
import { type Prepared, type PrepareParts, prepare } from './prepare.ts';
import type { CallPlan, Repeats } from './repeats.ts';
import { decideRetry, type RetryDecision } from './retry-policy.ts';

/** What sending needs. */
export interface SenderParts extends PrepareParts {
  readonly messenger: Messenger;
  readonly breaker: Breaker;
  readonly pause: Pause;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly leases: Leases;
  readonly repeats: Repeats;
  /** Nothing more goes out to this account (`account/NAME`) or receiver for so many ms, from any replica. */
  readonly block: (what: string, ms: number) => Promise<unknown>;
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

type Members = readonly [Claimed, ...Claimed[]];

/** How long to wait when what was sent lately cannot be read; ms. */
const AWAY_MS = 1000;

/** Makes what sends a claimed group the part that it is at, in one call, and records what became of it. */
export function createSender(parts: SenderParts): (group: Group, onCalled: () => void) => Promise<void> {
  const { breaker, pause, recorder, leases, repeats, media, now, random, onAttempt, onWait, onError } = parts;

  const fail = async (
    { account, members }: Group,
    pass: Pass,
    some: Members,
    failure: Failure,
  ): Promise<readonly Result[]> => {
    const { error, errcode, mediaId } = failure;
    if (errcode === 'internal') onError(failure.cause);
    const [at, dice] = [now(), random()];
    const decideFor = ({ tries, lost_at }: Claimed): RetryDecision =>
      errcode === 'content'
        ? { kind: 'failed' }
        : decideRetry(error, { tries: tries + 1, wasLost: lost_at !== null }, () => dice);
    const first = decideFor(members[0]);
    const until = first.kind === 'pause' ? pass.refused(error) : at;
    if (first.kind === 'pause') onWait('account');
    else if (error.kind !== 'retry') pass.accepted();
    if (first.kind === 'media' && mediaId !== null) await media.forget(mediaId).catch(onError);
    if (first.kind === 'wait') {
      onWait('wecom');
      const blocked = first.whole
        ? [`account/${account}`]
        : some.map((each) => targetOf(each.receiver, account));
      await Promise.all(blocked.map((what) => parts.block(what, first.forMs).catch(onError)));
    }
    return some.map((member) => failed(member, decideFor(member), failure, { now: at, until }));
  };

  const callOnce = async (
    group: Group,
    pass: Pass,
    { outgoing, mediaId }: Prepared,
    { members: some, isChecked, words }: CallPlan & { readonly members: Members },
  ): Promise<readonly Result[]> => {
    const [{ receiver, parts: part }] = some;
    const putOff = (at: number, reason: 'account' | 'breaker'): readonly Result[] => {
      onWait(reason);
      return some.map((member) => waiting(member, at));
    };
    if (!pass.allows()) return putOff(pause.until() ?? now(), 'account');
    // Asked last: while the breaker is half open, whoever is let through holds the only try.
    const gate = breaker.ask();
    if (gate.isOpen) return putOff(gate.at, 'breaker');
    const at = now();
    const message = outgoing[part];
    if (message === undefined) throw new Error('there is no such part');
    const answer = await call(parts, message, some, isChecked).catch((error: unknown) =>
      readFailure(error, { during: 'call', mediaId, words }),
    );
    const time = { at, ms: now() - at };
    const failure = 'error' in answer ? answer : null;
    breaker.record(failure?.error.kind === 'retry' ? 'bad' : 'good');
    const { kind } = readReceiver(receiver);
    onAttempt({ lane: group.lane, kind, errcode: failure?.errcode ?? '0', ms: time.ms });
    if ('error' in answer) return fail(group, pass, some, { ...answer, ...time });
    pass.accepted();
    const isLast = part + 1 >= outgoing.length;
    return some.map((member) => taken(member, answer, time, { isLast, words }));
  };

  /** What is to be recorded of all members; nothing when a lease has ended before the call. */
  const carry = async (group: Group, pass: Pass): Promise<readonly Result[]> => {
    const { members } = group;
    const at = now();
    const prepared = await prepare(parts, group).catch((error: unknown) =>
      readFailure(error, { during: 'prepare', mediaId: null, words: null }),
    );
    if ('error' in prepared) return fail(group, pass, members, { ...prepared, at, ms: now() - at });
    const message = prepared.outgoing[members[0].parts];
    // Another version of Keypad may have cut it into more parts: all was sent.
    if (message === undefined) {
      return members.map((member) => ({ ...waiting(member, now()), state: 'sent' }));
    }
    const plan = await repeats.plan(group, message).catch((error: unknown): CallPlan => {
      onError(error);
      const late = members.map((member) => ({ member, at: now() + AWAY_MS }));
      return { members: [], isChecked: false, late, words: null };
    });
    const isHeld = () => members.every(({ line, owner }) => leases.isHeld(line, owner));
    // The claim, or making ready, may have taken most of the time.
    if (!isHeld()) await leases.renew().catch(onError);
    // Whoever's lease has ended, because this process stood still, is in other hands; nothing was sent of the others.
    if (!isHeld()) return members.map((member) => waiting(member, now()));
    const late = plan.late.map((each) => waiting(each.member, each.at));
    if (late.length > 0) onWait('repeat');
    const [first, ...rest] = plan.members;
    if (first === undefined) return late;
    return [...late, ...(await callOnce(group, pass, prepared, { ...plan, members: [first, ...rest] }))];
  };

  return async (group, onCalled) => {
    const { members } = group;
    const pass = isRobot(members[0].receiver) ? freePass : pause.enter();
    if ('at' in pass) {
      onWait('account');
      return recorder.record(members.map((member) => waiting(member, pass.at)));
    }
    const lines = members.map(({ line }) => line);
    const letGo = leases.hold(lines, members[0].owner, group.since);
    try {
      const results = await carry(group, pass);
      onCalled();
      await recorder.record(results);
    } finally {
      pass.release();
      letGo();
    }
  };
}
