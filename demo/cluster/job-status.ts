import { isTrue, withCondition } from './conditions.ts';
import { stamp } from './json.ts';
import type { Condition, Job, Pod } from './shapes.ts';

/** How one pod of a Job ended, and when, in milliseconds. */
export interface PodEnd {
  readonly succeeded: boolean;
  readonly at: number;
}

/** Why a Job is at its end. */
export interface Verdict {
  readonly isSuccess: boolean;
  readonly reason: string;
  readonly message: string;
}

const reached = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
const tooMany = { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
const tooLong = { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };

/** Milliseconds to wait after the first failure; each further one doubles them, up to the longest. */
const backoff = { first: 10_000, longest: 600_000 };

/** What its pods and the clock say of a Job; undefined while it goes on. A failure that was told stands. */
export function verdictOn(
  job: Job,
  ends: readonly PodEnd[],
  deadline: number,
  now: Date,
): Verdict | undefined {
  if (ends.some(({ succeeded }) => succeeded)) return { isSuccess: true, ...reached };
  const told = job.status.conditions?.find(({ type }) => type === 'FailureTarget');
  if (told !== undefined) return { isSuccess: false, reason: `${told.reason}`, message: `${told.message}` };
  if (ends.length > job.spec.backoffLimit) return { isSuccess: false, ...tooMany };
  return deadline <= now.getTime() ? { isSuccess: false, ...tooLong } : undefined;
}

/** The moment, in milliseconds, at which a Job has taken too long. */
export function deadlineOf({ spec }: Job, startTime: string): number {
  return Date.parse(startTime) + (spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY) * 1000;
}

/** The moment, in milliseconds, from which the next pod may be made. */
export function nextPodAt(ends: readonly PodEnd[]): number {
  const pause = Math.min(backoff.first * 2 ** (ends.length - 1), backoff.longest);
  return Math.max(...ends.map(({ at }) => at + pause));
}

/** The condition with which a Job has ended. */
export function endOf({ status }: Job): Condition | undefined {
  return status.conditions?.find(
    (condition) => ['Complete', 'Failed'].includes(condition.type) && condition.status === 'True',
  );
}

/** What a Job's status is computed from. */
export interface Observed {
  readonly startTime: string;
  /** The pods that have not ended and are not going. */
  readonly active: readonly Pod[];
  /** How many are going. */
  readonly terminating: number;
  readonly ends: readonly PodEnd[];
  readonly verdict: Verdict | undefined;
  readonly now: Date;
}

/** The status that the Job controller would write. A Job has ended when none of its pods runs any more. */
export function jobStatus(job: Job, observed: Observed): Readonly<Record<string, unknown>> {
  const { startTime, active, terminating, ends, verdict, now } = observed;
  const succeeded = ends.filter((end) => end.succeeded).length;
  const counts = { active: active.length, succeeded, failed: ends.length - succeeded };
  const isComplete = verdict?.isSuccess === true && terminating === 0;
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ready: active.filter((pod) => isTrue(pod.status.conditions, 'Ready')).length,
    terminating,
    uncountedTerminatedPods: {},
    startTime,
    ...(isComplete ? { completionTime: stamp(now) } : {}),
    conditions: verdict === undefined ? job.status.conditions : conditionsOf(job, verdict, observed),
  };
}

function conditionsOf(
  { status }: Job,
  { isSuccess, reason, message }: Verdict,
  { terminating, now }: Observed,
): Condition[] {
  const said = { status: 'True', reason, message } as const;
  const target = { type: isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget', ...said };
  const conditions = withCondition(status.conditions, target, now);
  if (terminating > 0) return conditions;
  return withCondition(conditions, { type: isSuccess ? 'Complete' : 'Failed', ...said }, now);
}
