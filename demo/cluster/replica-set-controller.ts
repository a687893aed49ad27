import { isTrue, withCondition } from './conditions.ts';
import { ApiFailure } from './failure.ts';
import { createPod, deletePod, podsOf, quotaExceeded, roomForPods } from './owned-pods.ts';
import type { Pod, ReplicaSet } from './shapes.ts';
import type { World } from './world.ts';

const manager = 'kube-controller-manager';
const source = 'replicaset-controller';

/** Makes or removes pods until there are as many as the ReplicaSet asks for, and counts them in its status. Throws 403 when they do not fit. */
export function reconcileReplicaSet(world: World, set: ReplicaSet): void {
  const missing = set.spec.replicas - activePods(world, set).length;
  const room = roomForPods(world);
  for (let made = 0; made < Math.min(missing, room); made += 1) createPod(world, set, source);
  const excess = activePods(world, set).sort(expendableFirst).slice(0, Math.max(0, -missing));
  for (const pod of excess) deletePod(world, set, pod, source);
  const refusal = missing > room ? quotaExceeded : undefined;
  writeStatus(world, set, refusal);
  if (refusal !== undefined) throw new ApiFailure(403, 'Forbidden', refusal);
}

/** The set's pods that are not going away. */
function activePods(world: World, set: ReplicaSet): Pod[] {
  return podsOf(world, set).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Pods that are not ready are removed first, then the youngest. */
function expendableFirst(one: Pod, other: Pod): number {
  const ready =
    Number(isTrue(one.status.conditions, 'Ready')) - Number(isTrue(other.status.conditions, 'Ready'));
  return ready || other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp);
}

function writeStatus(world: World, set: ReplicaSet, refusal: string | undefined): void {
  const pods = activePods(world, set);
  const ready = pods.filter((pod) => isTrue(pod.status.conditions, 'Ready')).length;
  const counts = ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {};
  const failed = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: refusal ?? '',
  } as const;
  const conditions =
    refusal === undefined ? {} : { conditions: withCondition(set.status.conditions, failed, world.now()) };
  const status = {
    replicas: pods.length,
    ...counts,
    observedGeneration: set.metadata.generation,
    ...conditions,
  };
  world.registry.update('replicasets', set, { ...set, status }, { manager, subresource: 'status' });
}
