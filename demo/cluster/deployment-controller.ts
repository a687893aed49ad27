import { createHash } from 'node:crypto';
import { deploymentStatus } from './deployment-status.ts';
import { canonical } from './json.ts';
import { referenceTo } from './resources.ts';
import { allowances, planRollout, type SetState } from './rollout.ts';
import type { Deployment, ReplicaSet } from './shapes.ts';
import type { World } from './world.ts';

const manager = 'kube-controller-manager';
const source = 'deployment-controller';
const revisionOf = 'deployment.kubernetes.io/revision';

/** Brings a deployment's ReplicaSets one step nearer to its spec, and its status up to date. */
export function reconcileDeployment(world: World, deployment: Deployment): void {
  if (deployment.spec.paused === true) reconcilePaused(world, deployment);
  else reconcileRollout(world, deployment);
}

function reconcileRollout(world: World, deployment: Deployment): void {
  const { fresh, old } = findSets(world, deployment);
  const plan = planRollout(deployment.spec, { fresh: stateOf(fresh), old: old.map(stateOf) });
  for (const set of [fresh, ...old]) {
    const replicas = plan.get(set.metadata.name);
    if (replicas !== undefined) resize(world, deployment, set, replicas);
  }
  trimHistory(world, deployment, old);
  writeStatus(world, deployment, fresh);
}

/** A paused deployment keeps its size, also a new one, and rolls nothing out: no ReplicaSet is made for its template. */
function reconcilePaused(world: World, deployment: Deployment): void {
  const { same, others } = setsOf(world, deployment);
  const sets = [...others, ...(same === undefined ? [] : [same])];
  const running = sets.filter((set) => set.spec.replicas > 0);
  const largest = running.toSorted((one, other) => other.spec.replicas - one.spec.replicas)[0] ?? sets.at(-1);
  if (largest !== undefined) {
    const { replicas } = deployment.spec;
    const surge = running.length > 1 && replicas > 0 ? allowances(deployment.spec).surge : 0;
    const total = running.reduce((sum, set) => sum + set.spec.replicas, 0);
    const size = Math.max(0, largest.spec.replicas + replicas + surge - total);
    if (size !== largest.spec.replicas) resize(world, deployment, largest, size);
  }
  writeStatus(world, deployment, same);
}

/** The ReplicaSet of the template, made when it is not there, and the others, oldest revision first. */
function findSets(
  world: World,
  deployment: Deployment,
): { readonly fresh: ReplicaSet; readonly old: readonly ReplicaSet[] } {
  const { same, others: old } = setsOf(world, deployment);
  const last = Math.max(0, ...old.map(revision));
  const fresh = same ?? createSet(world, deployment, hashOf(deployment.spec.template));
  if (revision(fresh) > last) return { fresh, old };
  const annotations = { ...fresh.metadata.annotations, [revisionOf]: `${last + 1}` };
  const revised = { ...fresh, metadata: { ...fresh.metadata, annotations } };
  return { fresh: world.registry.update('replicasets', fresh, revised, { manager }), old };
}

/** The ReplicaSet of the template, if it is there, and the others, oldest revision first. */
function setsOf(world: World, deployment: Deployment) {
  const owned = ownedSets(world, deployment);
  const hash = hashOf(deployment.spec.template);
  const same = owned.find((set) => set.metadata.labels?.['pod-template-hash'] === hash);
  const others = owned.filter((set) => set !== same);
  return { same, others: others.sort((one, other) => revision(one) - revision(other)) };
}

function ownedSets(world: World, deployment: Deployment): readonly ReplicaSet[] {
  const { namespace, uid } = deployment.metadata;
  const sets = world.store.list('replicasets', namespace);
  return sets.filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === uid));
}

function createSet(world: World, deployment: Deployment, hash: string): ReplicaSet {
  const { name, namespace } = deployment.metadata;
  const { template, selector } = deployment.spec;
  const labels = { ...template.metadata.labels, 'pod-template-hash': hash };
  const owner = { ...referenceTo(deployment), controller: true, blockOwnerDeletion: true };
  const set = {
    metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [owner] },
    spec: {
      replicas: 0,
      selector: { matchLabels: { ...selector.matchLabels, 'pod-template-hash': hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return world.registry.create('replicasets', set, { manager });
}

function resize(world: World, deployment: Deployment, set: ReplicaSet, replicas: number): void {
  const before = set.spec.replicas;
  const { name } = set.metadata;
  const resized = { ...set, spec: { ...set.spec, replicas } };
  world.registry.update('replicasets', set, resized, { manager });
  const message = `Scaled ${replicas > before ? 'up' : 'down'} replica set ${name} from ${before} to ${replicas}`;
  world.record(deployment, { source, reason: 'ScalingReplicaSet', message });
}

function trimHistory(world: World, deployment: Deployment, old: readonly ReplicaSet[]): void {
  const empty = old.filter((set) => set.spec.replicas === 0 && (set.status.replicas ?? 0) === 0);
  const excess = Math.max(0, empty.length - deployment.spec.revisionHistoryLimit);
  for (const set of empty.slice(0, excess)) world.store.drop('replicasets', set);
}

function writeStatus(world: World, deployment: Deployment, fresh: ReplicaSet | undefined): void {
  const sets = ownedSets(world, deployment);
  const status = deploymentStatus(deployment, { sets, fresh: fresh?.metadata.name, now: world.now() });
  const revised = fresh === undefined ? {} : { [revisionOf]: `${revision(fresh)}` };
  const annotations = { ...deployment.metadata.annotations, ...revised };
  const observed = { ...deployment, metadata: { ...deployment.metadata, annotations }, status };
  world.registry.update('deployments', deployment, observed, { manager, subresource: 'status' });
}

function stateOf(set: ReplicaSet): SetState {
  const { name } = set.metadata;
  return { name, replicas: set.spec.replicas, available: set.status.availableReplicas ?? 0 };
}

function revision(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionOf] ?? 0);
}

/** A name for the template in the letters that Kubernetes uses for it. */
function hashOf(template: Deployment['spec']['template']): string {
  const digest = createHash('sha256').update(canonical(template)).digest();
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return [...digest.subarray(0, 9)].map((byte) => letters[byte % letters.length]).join('');
}
