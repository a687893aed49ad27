import type { KubeObject } from './shapes.ts';
import type { World } from './world.ts';

const owners = ['deployments', 'replicasets', 'jobs', 'pods'] as const;
const dependents = ['replicasets', 'pods'] as const;

/** Removes what belongs to nobody any more: ReplicaSets of deleted deployments, pods of deleted ReplicaSets and Jobs. */
export function collectGarbage({ store }: World): void {
  const alive = new Set(owners.flatMap((plural) => store.list(plural)).map((object) => object.metadata.uid));
  for (const plural of dependents) {
    for (const object of store.list(plural)) {
      const { ownerReferences = [] } = object.metadata;
      if (ownerReferences.length > 0 && !ownerReferences.some((owner) => alive.has(owner.uid))) {
        store.drop(plural, object);
      }
    }
  }
}

/** Makes what belongs to an object belong to nobody, so that it stays when the object goes. */
export function orphanDependents({ store, registry }: World, { metadata }: KubeObject): void {
  for (const plural of dependents) {
    for (const object of store.list(plural, metadata.namespace)) {
      const { ownerReferences = [] } = object.metadata;
      const others = ownerReferences.filter((owner) => owner.uid !== metadata.uid);
      if (others.length === ownerReferences.length) continue;
      const freed = { ...object, metadata: { ...object.metadata, ownerReferences: others } };
      registry.update(plural, object, freed, { manager: 'kube-controller-manager' });
    }
  }
}
