import { isTrue, withCondition } from './conditions.ts';
import { ApiFailure } from './failure.ts';
import { stamp } from './json.ts';
import { referenceTo } from './resources.ts';
import type { Pod, ReplicaSet } from './shapes.ts';
import type { World } from './world.ts';

const manager = 'kube-controller-manager';
const source = 'replicaset-controller';

/** Pods that fit into the cluster, so that a typing error in a count does not fill the memory. */
const podQuota = 500;

/** Makes or removes pods until there are as many as the ReplicaSet asks for, and counts them in its status. Throws 403 when they do not fit. */
export function reconcileReplicaSet(world: World, set: ReplicaSet): void {
  const missing = set.spec.replicas - activePods(world, set).length;
  const room = Math.max(0, podQuota - world.store.list('pods').length);
  for (let made = 0; made < Math.min(missing, room); made += 1) createPod(world, set);
  const excess = activePods(world, set).sort(expendableFirst).slice(0, Math.max(0, -missing));
  for (const pod of excess) {
    terminatePod(world, pod, 30);
    world.record(set, { source, reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` });
  }
  const refusal = missing > room ? `pods are forbidden: exceeded quota: limited to ${podQuota}` : undefined;
  writeStatus(world, set, refusal);
  if (refusal !== undefined) throw new ApiFailure(403, 'Forbidden', refusal);
}

/** Marks a pod as going, as a DELETE with a grace period (in seconds) does; the kubelet then removes it. */
export function terminatePod(world: World, pod: Pod, grace: number): Pod {
  if (pod.metadata.deletionTimestamp !== undefined) return pod;
  const deletionTimestamp = stamp(new Date(world.now().getTime() + grace * 1000));
  const death = { deletionTimestamp, deletionGracePeriodSeconds: grace };
  return world.store.put('pods', { ...pod, metadata: { ...pod.metadata, ...death } });
}

/** The set's pods that are not going away. */
function activePods(world: World, set: ReplicaSet): Pod[] {
  const { namespace, uid } = set.metadata;
  const pods = world.store.list('pods', namespace);
  return pods.filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined &&
      metadata.ownerReferences?.some((owner) => owner.uid === uid),
  );
}

function createPod(world: World, set: ReplicaSet): void {
  const { name, namespace } = set.metadata;
  const { template } = set.spec;
  const owner = { ...referenceTo(set), controller: true, blockOwnerDeletion: true };
  const metadata = { ...template.metadata, generateName: `${name}-`, namespace, ownerReferences: [owner] };
  const pod = world.registry.create('pods', { metadata, spec: template.spec }, { manager });
  const message = `Created pod: ${pod.metadata.name}`;
  world.record(set, { source, reason: 'SuccessfulCreate', message });
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
