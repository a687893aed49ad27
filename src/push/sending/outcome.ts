import { InputError } from '../../errors.ts';
import { WeComError } from '../../wecom/api/wecom-error.ts';
import { readReceiver } from '../content/message.ts';
import type { Claimed } from '../queue/claim.ts';
import { type Attempt, type Result, readMsgids } from '../queue/result.ts';
import type { Taken } from './call.ts';
import type { RetryDecision } from './retry-policy.ts';

/** When a call went out (Unix ms) and how long it took. */
export interface Timing {
  readonly at: number;
  readonly ms: number;
}

/** What a delivery that stays as far as it is, is recorded as: queued again, to be sent `due_at` (Unix ms). */
export function waiting(member: Claimed, due_at: number): Result {
  const { tries, parts, msgids, errcode, lost_at } = member;
  return {
    member,
    tries,
    parts,
    msgids,
    errcode,
    lost_at,
    state: 'queued',
    due_at,
    problem: null,
    attempt: null,
  };
}

/** What a delivery is recorded as when WeCom has taken one of its parts, or named its receiver as one it did not reach. */
export function taken(
  member: Claimed,
  { msgid, missed }: Taken,
  time: Timing,
  { isLast, words }: { readonly isLast: boolean; readonly words: string | null },
): Result {
  const base = waiting(member, member.due_at);
  const why = missed.get(member.receiver);
  const tries = member.tries + 1;
  const call = { ...time, isCounted: true, words };
  if (why !== undefined) {
    const { id } = readReceiver(member.receiver);
    const problem = `${why}: WeCom did not deliver to ${id}. ${MISSED[why] ?? MISSED.invaliduser}`;
    const attempt = { ...call, errcode: ALL_INVALID, errmsg: problem, msgid: null };
    return { ...base, state: 'failed', tries, errcode: ALL_INVALID, problem, attempt };
  }
  return {
    ...base,
    // What has more parts stays first in its line, and takes a place in the limits for each.
    state: isLast ? 'sent' : 'queued',
    // Each part is tried as often as a message of one part would be.
    tries: isLast ? tries : 0,
    parts: member.parts + 1,
    msgids: msgid === null ? base.msgids : JSON.stringify([...readMsgids(base.msgids), msgid]),
    errcode: null,
    lost_at: null,
    attempt: { ...call, errcode: '0', errmsg: 'ok', msgid },
  };
}

/** What WeCom answers when it knows none of the receivers (§4.2). */
const ALL_INVALID = '81013';

const MISSED: Readonly<{ [list: string]: string }> = {
  invaliduser: 'Check the userid, and that the app may see this member.',
  unlicenseduser: 'The member has no licence for the basic API: assign one in the admin console.',
  invalidparty: 'Check the department id, and that the app may see it.',
  invalidtag: 'Check the tag id, and that the app may use it.',
};

/** An error with the words under which it is noted. */
export interface Failure {
  readonly error: WeComError;
  /** What was thrown; one that is `internal` belongs into the log. */
  readonly cause: unknown;
  readonly errcode: string;
  readonly problem: string;
  /** The message may have arrived all the same. */
  readonly isLost: boolean;
  /** It can never be sent. */
  readonly isHopeless: boolean;
  /** The call itself failed, not what comes before it. */
  readonly wasCalled: boolean;
}

/** Reads an error of making a message ready, before which nothing was sent, or of the call itself. */
export function readFailure(error: unknown, during: 'prepare' | 'call'): Failure {
  const base = { cause: error, isHopeless: false, wasCalled: during === 'call' };
  if (error instanceof WeComError) {
    const isLost = during === 'call' && error.errcode === 'lost';
    return { ...base, error, errcode: `${error.errcode}`, problem: error.message, isLost };
  }
  const name = error instanceof Error ? error.name : 'unknown';
  const isLost = during === 'call';
  const wrapped = new WeComError('message/send', isLost ? 'lost' : 'unsent', name);
  if (error instanceof InputError) {
    return { ...base, error: wrapped, errcode: 'content', problem: error.message, isLost, isHopeless: true };
  }
  const problem = `Keypad could not send it (${name}); its log says why.`;
  return { ...base, error: wrapped, errcode: 'internal', problem, isLost };
}

/** What is done about a failure; a pause says when to try again (Unix ms). */
export type Decision =
  | Exclude<RetryDecision, { readonly kind: 'pause' }>
  | { readonly kind: 'pause'; readonly until: number };

/** A call that failed, or could not be made ready. */
export interface Failed {
  readonly failure: Failure;
  readonly time: Timing;
  readonly mediaId: string | null;
  /** The digest of what it said; null where that was not known yet, or WeCom has no check for repeats. */
  readonly words: string | null;
}

/** What a delivery is recorded as when its call, or making it ready, failed. */
export function failed(
  member: Claimed,
  decision: Decision,
  { failure, time, words }: Failed,
  now: number,
): Result {
  const { errcode, problem, isLost, wasCalled } = failure;
  const isCounted = wasCalled && errcode !== 'unsent';
  const attempt: Attempt = {
    ...time,
    errcode,
    errmsg: problem,
    msgid: null,
    isCounted,
    words: isLost ? words : null,
  };
  const base = { ...waiting(member, now), errcode, problem, attempt };
  const tries = member.tries + 1;
  const lost_at = isLost ? (member.lost_at ?? time.at) : member.lost_at;
  switch (decision.kind) {
    case 'again':
      return { ...base, tries, lost_at, due_at: now + decision.afterMs };
    case 'pause':
      return { ...base, due_at: decision.until };
    case 'wait':
      return { ...base, due_at: now + decision.forMs };
    case 'media':
      return { ...base, tries };
    case 'sent':
      return {
        ...base,
        tries,
        parts: member.parts + 1,
        state: 'sent',
        errcode: null,
        problem: null,
        lost_at: null,
      };
    case 'failed':
    case 'dead':
      return { ...base, tries, lost_at, state: decision.kind };
  }
}
