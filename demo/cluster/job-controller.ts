import { isTrue, withCondition } from './conditions.ts';
import { ApiFailure } from './failure.ts';
import {
  deadlineOf,
  endOf,
  jobStatus,
  nextPodAt,
  type PodEnd,
  type Verdict,
  verdictOn,
} from './job-status.ts';
import { stamp } from './json.ts';
import { createPod, deletePod, podsOf, quotaExceeded, roomForPods } from './owned-pods.ts';
import { isOver } from './pod-status.ts';
import type { Condition, Job, Pod } from './shapes.ts';
import type { World } from './world.ts';

/** Runs Jobs: one pod at a time, until one succeeds or too many have failed. */
export interface JobController {
  /** Brings a Job one step further. Throws 403 when its pod does not fit into the cluster. */
  reconcile(job: Job): void;
  stop(): void;
}

const source = 'job-controller';

/** Creates the controller. `alarm` asks for another look at a moment, in milliseconds. */
export function createJobController(world: World, alarm: (at: number) => void): JobController {
  const { store, registry } = world;
  /** How the pods of each Job ended, also those that are gone: by the uid of the Job, then of the pod. */
  const ended = new Map<string, Map<string, PodEnd>>();
  const endsOf = ({ metadata }: Job): ReadonlyMap<string, PodEnd> => ended.get(metadata.uid) ?? new Map();
  const note = (pod: Pod): void => {
    for (const owner of pod.metadata.ownerReferences?.filter(({ kind }) => kind === 'Job') ?? []) {
      const ends = ended.get(owner.uid) ?? new Map<string, PodEnd>();
      ended.set(owner.uid, ends);
      const end = { succeeded: pod.status.phase === 'Succeeded', at: world.now().getTime() };
      if (!ends.has(pod.metadata.uid)) ends.set(pod.metadata.uid, end);
    }
  };
  const unsubscribe = store.subscribe(({ plural, type, object }) => {
    if (plural === 'jobs' && type === 'DELETED') ended.delete(object.metadata.uid);
    if (plural !== 'pods') return;
    const pod = object as Pod;
    // A pod that is on its way out has failed, whatever becomes of it.
    if (isOver(pod) || type === 'DELETED' || pod.metadata.deletionTimestamp !== undefined) note(pod);
  });

  /** A suspended Job has no pods, and has not begun. */
  const suspend = (job: Job): void => {
    for (const pod of activePods(job)) deletePod(world, job, pod, source);
    if (isTrue(job.status.conditions, 'Suspended')) return;
    const suspended = {
      type: 'Suspended',
      status: 'True',
      reason: 'JobSuspended',
      message: 'Job suspended',
    } as const;
    const conditions = withCondition(job.status.conditions, suspended, world.now());
    const write = { manager: 'kube-controller-manager', subresource: 'status' } as const;
    registry.update('jobs', job, { ...job, status: { ...job.status, conditions } }, write);
  };
  const proceed = (job: Job): void => {
    if (job.spec.suspend) {
      suspend(job);
      return;
    }
    const now = world.now();
    const startTime = job.status.startTime ?? stamp(now);
    const deadline = deadlineOf(job, startTime);
    const ends = [...endsOf(job).values()];
    const verdict = verdictOn(job, ends, deadline, now);
    if (verdict !== undefined) for (const pod of activePods(job)) deletePod(world, job, pod, source);
    writeStatus(job, startTime, verdict);
    if (verdict !== undefined) return;
    if (deadline < Number.POSITIVE_INFINITY) alarm(deadline);
    if (activePods(job).length === 0) makePod(job, ends);
  };
  const activePods = (job: Job): readonly Pod[] =>
    podsOf(world, job).filter(({ metadata }) => !endsOf(job).has(metadata.uid));

  const makePod = (job: Job, ends: readonly PodEnd[]): void => {
    const due = nextPodAt(ends);
    if (due > world.now().getTime()) alarm(due);
    else if (roomForPods(world) > 0) createPod(world, job, source);
    else throw new ApiFailure(403, 'Forbidden', quotaExceeded);
  };

  const writeStatus = (job: Job, startTime: string, verdict: Verdict | undefined): void => {
    const going = podsOf(world, job).filter(
      (pod) => pod.metadata.deletionTimestamp !== undefined && !isOver(pod),
    );
    const status = jobStatus(job, {
      startTime,
      active: activePods(job),
      terminating: going.length,
      ends: [...endsOf(job).values()],
      verdict,
      now: world.now(),
    });
    const write = { manager: 'kube-controller-manager', subresource: 'status' } as const;
    const written = registry.update('jobs', job, { ...job, status }, write);
    if (verdict === undefined || endOf(written) === undefined) return;
    const { isSuccess, reason, message } = verdict;
    if (isSuccess) world.record(job, { source, reason: 'Completed', message: 'Job completed' });
    else world.record(job, { source, type: 'Warning', reason, message });
  };

  /** Removes a Job when its time after its end is over; its pods follow, since they belong to nobody then. */
  const expire = (job: Job, end: Condition): void => {
    const { ttlSecondsAfterFinished = Number.POSITIVE_INFINITY } = job.spec;
    const due = Date.parse(end.lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000;
    if (due <= world.now().getTime()) store.drop('jobs', job);
    else if (due < Number.POSITIVE_INFINITY) alarm(due);
  };

  return {
    reconcile: (job) => {
      const end = endOf(job);
      if (end === undefined) proceed(job);
      else expire(job, end);
    },
    stop: unsubscribe,
  };
}
