import { InputError } from '../../errors.ts';
import { WeComError } from '../../wecom/api/wecom-error.ts';
import { readReceiver } from '../content/message.ts';
import type { Claimed } from '../queue/claim.ts';
import { type Attempt, type Result, readMsgids } from '../queue/record-store.ts';
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
interface Trouble {
  readonly error: WeComError;
  /** What was thrown; one that is `internal` belongs into the log. */
  readonly cause: unknown;
  /** WeCom's, or `content` for what can never be sent. */
  readonly errcode: string;
  readonly problem: string;
  /** The message may have arrived all the same. */
  readonly isLost: boolean;
  /** WeCom may have counted it. */
  readonly isCounted: boolean;
  readonly mediaId: string | null;
  /** The digest of what it said; null where that was not known yet, or WeCom has no check for repeats. */
  readonly words: string | null;
}

/** A call that failed, or could not be made ready. */
export interface Failure extends Trouble, Timing {}

/** Reads an error of making a message ready, before which nothing was sent, or of the call itself. */
export function readFailure(
  cause: unknown,
  { during, ...said }: Pick<Trouble, 'mediaId' | 'words'> & { readonly during: 'prepare' | 'call' },
): Trouble {
  const wasCalled = during === 'call';
  if (cause instanceof WeComError) {
    const isLost = wasCalled && cause.errcode === 'lost';
    const isCounted = wasCalled && cause.errcode !== 'unsent';
    const { message: problem } = cause;
    return { ...said, cause, error: cause, errcode: `${cause.errcode}`, problem, isLost, isCounted };
  }
  const name = cause instanceof Error ? cause.name : 'unknown';
  const error = new WeComError('message/send', wasCalled ? 'lost' : 'unsent', name);
  const base = { ...said, cause, error, isLost: wasCalled, isCounted: wasCalled };
  if (cause instanceof InputError) return { ...base, errcode: 'content', problem: cause.message };
  return { ...base, errcode: 'internal', problem: `Keypad could not send it (${name}); its log says why.` };
}

/** What a delivery is recorded as when its call, or making it ready, failed; a pause is `until` then (Unix ms). */
export function failed(
  member: Claimed,
  decision: RetryDecision,
  { at, ms, errcode, problem, isLost, isCounted, words }: Failure,
  { now, until }: { readonly now: number; readonly until: number },
): Result {
  const call = { at, ms, errcode, errmsg: problem, msgid: null, isCounted };
  const attempt: Attempt = { ...call, words: isLost ? words : null };
  const base = { ...waiting(member, now), errcode, problem, attempt };
  const tries = member.tries + 1;
  const lost_at = isLost ? (member.lost_at ?? at) : member.lost_at;
  switch (decision.kind) {
    case 'again':
      return { ...base, tries, lost_at, due_at: now + decision.afterMs };
    case 'pause':
      return { ...base, due_at: until };
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
