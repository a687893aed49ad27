import { type ConditionState, withCondition } from './conditions.ts';
import { stamp } from './json.ts';
import { allowances } from './rollout.ts';
import type { Condition, Deployment, ReplicaSet } from './shapes.ts';

/** What a deployment's status is computed from: its ReplicaSets, and which of them is of the current template, if there is one. */
export interface Observed {
  readonly sets: readonly ReplicaSet[];
  readonly fresh: string | undefined;
  readonly now: Date;
}

/** The status that the deployment controller would write. Counts of zero are left out, as the real server does. */
export function deploymentStatus(
  deployment: Deployment,
  observed: Observed,
): Readonly<Record<string, unknown>> {
  const counts = countsOf(observed);
  const unavailableReplicas = Math.max(0, deployment.spec.replicas - counts.availableReplicas);
  const shown = Object.entries({ ...counts, unavailableReplicas }).filter(([, count]) => count > 0);
  return {
    observedGeneration: deployment.metadata.generation,
    ...Object.fromEntries(shown),
    conditions: conditionsOf(deployment, counts, observed),
  };
}

type Counts = ReturnType<typeof countsOf>;

function countsOf({ sets, fresh }: Observed) {
  const total = (of: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((sum, set) => sum + (of(set) ?? 0), 0);
  return {
    replicas: total((set) => set.status.replicas),
    updatedReplicas: sets.find((set) => set.metadata.name === fresh)?.status.replicas ?? 0,
    readyReplicas: total((set) => set.status.readyReplicas),
    availableReplicas: total((set) => set.status.availableReplicas),
  };
}

function conditionsOf(deployment: Deployment, counts: Counts, observed: Observed): Condition[] {
  const { spec, status } = deployment;
  const enough = counts.availableReplicas >= spec.replicas - allowances(spec).unavailable;
  const available: ConditionState = {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${enough ? 'has' : 'does not have'} minimum availability.`,
  };
  const failure = observed.sets
    .flatMap((set) => set.status.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure' || failure);
  const kept = failure ? withUpdate(others, failure as ConditionState, observed.now) : others;
  const conditions = withUpdate(kept, available, observed.now);
  const before = conditions.find((condition) => condition.type === 'Progressing');
  const { said, moved } = progress(deployment, counts, { ...observed, before });
  // Progress starts the deadline anew: its time must change although its text does not.
  const restarted = moved
    ? conditions.map((each) => (each === before ? { ...each, message: '' } : each))
    : conditions;
  return said === undefined ? conditions : withUpdate(restarted, said, observed.now);
}

/** Of all kinds only a deployment says when a condition was last said. */
function withUpdate(conditions: Condition[] | undefined, said: ConditionState, now: Date): Condition[] {
  const next = withCondition(conditions, said, now);
  if (next === conditions) return next;
  return next.map((each) => (each.type === said.type ? { ...each, lastUpdateTime: stamp(now) } : each));
}

/** The new Progressing condition, if it changes, and whether the rollout made progress. */
function progress(
  { spec, status }: Deployment,
  counts: Counts,
  { fresh, now, before }: Observed & { readonly before: Condition | undefined },
): { readonly said: ConditionState | undefined; readonly moved: boolean } {
  if (spec.paused === true) {
    const message = 'Deployment is paused';
    const said = { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message } as const;
    return { said, moved: false };
  }
  const say = (reason: string, words: string, truth: 'True' | 'False' = 'True'): ConditionState => {
    return { type: 'Progressing', status: truth, reason, message: `ReplicaSet "${fresh}" ${words}.` };
  };
  const onlyFresh = counts.replicas === counts.updatedReplicas;
  // Once a rollout is complete, scaling and lost pods do not make it incomplete.
  const settled = before?.reason === 'NewReplicaSetAvailable' && before.message?.includes(`"${fresh}"`);
  if (settled && onlyFresh) return { said: undefined, moved: false };
  if (onlyFresh && counts.updatedReplicas === spec.replicas && counts.availableReplicas >= spec.replicas) {
    return { said: say('NewReplicaSetAvailable', 'has successfully progressed'), moved: false };
  }
  const moved =
    counts.updatedReplicas > (status.updatedReplicas ?? 0) ||
    counts.availableReplicas > (status.availableReplicas ?? 0);
  if (moved || before === undefined || !before.message?.includes(`"${fresh}"`)) {
    return { said: say('ReplicaSetUpdated', 'is progressing'), moved };
  }
  const since = now.getTime() - Date.parse(before.lastUpdateTime ?? '');
  const overdue = since > spec.progressDeadlineSeconds * 1000;
  return {
    said: overdue ? say('ProgressDeadlineExceeded', 'has timed out progressing', 'False') : undefined,
    moved,
  };
}
