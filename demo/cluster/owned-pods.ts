import { stamp } from './json.ts';
import { referenceTo } from './resources.ts';
import type { Job, KubeObject, Pod, ReplicaSet } from './shapes.ts';
import type { World } from './world.ts';

/** Pods that fit into the cluster, so that a typing error in a count does not fill the memory. */
const podQuota = 500;

/** What says that no more pods fit. */
export const quotaExceeded = `pods are forbidden: exceeded quota: limited to ${podQuota}`;

/** How many more pods fit into the cluster. */
export function roomForPods(world: World): number {
  return Math.max(0, podQuota - world.store.list('pods').length);
}

/** The pods of an owner, also those that are going away. */
export function podsOf(world: World, { metadata }: KubeObject): Pod[] {
  const pods = world.store.list('pods', metadata.namespace);
  return pods.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid));
}

/** Makes a pod of its owner's template, and an event about it; `source` is the controller. */
export function createPod(world: World, owner: ReplicaSet | Job, source: string): Pod {
  const { name, namespace } = owner.metadata;
  const { template } = owner.spec;
  const reference = { ...referenceTo(owner), controller: true, blockOwnerDeletion: true };
  const metadata = {
    ...template.metadata,
    generateName: `${name}-`,
    namespace,
    ownerReferences: [reference],
  };
  const manager = 'kube-controller-manager';
  const pod = world.registry.create('pods', { metadata, spec: template.spec }, { manager });
  world.record(owner, { source, reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` });
  return pod;
}

/** Ends a pod of its owner, with an event about it. */
export function deletePod(world: World, owner: ReplicaSet | Job, pod: Pod, source: string): void {
  terminatePod(world, pod, 30);
  world.record(owner, { source, reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` });
}

/** Marks a pod as going, as a DELETE with a grace period (in seconds) does; the kubelet then removes it. */
export function terminatePod(world: World, pod: Pod, grace: number): Pod {
  if (pod.metadata.deletionTimestamp !== undefined) return pod;
  const deletionTimestamp = stamp(new Date(world.now().getTime() + grace * 1000));
  const death = { deletionTimestamp, deletionGracePeriodSeconds: grace };
  return world.store.put('pods', { ...pod, metadata: { ...pod.metadata, ...death } });
}
