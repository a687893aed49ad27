import type { Deployment } from './shapes.ts';

/** A ReplicaSet as far as a rollout cares: the pods it is asked for, and those of them that are ready. */
export interface SetState {
  readonly name: string;
  readonly replicas: number;
  readonly available: number;
}

/** The ReplicaSet of the current template, and those of earlier ones, oldest first. */
export interface Sets {
  readonly fresh: SetState;
  readonly old: readonly SetState[];
}

/**
 * The next sizes of a deployment's ReplicaSets, by name: only those that change. First room is used for new pods,
 * then old ones go as far as `maxUnavailable` allows, those that are not ready before the others.
 */
export function planRollout(spec: Deployment['spec'], { fresh, old }: Sets): ReadonlyMap<string, number> {
  const desired = spec.replicas;
  const running = sum(old, (set) => set.replicas);
  if (spec.strategy.type === 'Recreate') {
    if (running > 0) return new Map(old.filter((set) => set.replicas > 0).map((set) => [set.name, 0]));
    return sized(fresh, desired);
  }
  const { surge, unavailable } = allowances(spec);
  const total = fresh.replicas + running;
  if (fresh.replicas > desired) return sized(fresh, desired);
  const growth = Math.min(desired + surge - total, desired - fresh.replicas);
  if (growth > 0) return sized(fresh, fresh.replicas + growth);

  const budget = total - (desired - unavailable) - (fresh.replicas - fresh.available);
  const cleaned = take(old, Math.max(0, budget), (set) => set.replicas - set.available);
  const spare = fresh.available + sum(old, (set) => set.available) - (desired - unavailable);
  const shrunk = take(cleaned, budget > 0 ? Math.max(0, spare) : 0, (set) => set.replicas);
  return new Map(
    shrunk
      .filter((set, index) => set.replicas !== old[index]?.replicas)
      .map((set) => [set.name, set.replicas]),
  );
}

/**
 * How many pods a rollout may have above and below what is asked for. Surge rounds up, unavailable down, and they
 * cannot both be zero. Recreate has no such bounds.
 */
export function allowances({ replicas: desired, strategy }: Deployment['spec']): {
  readonly surge: number;
  readonly unavailable: number;
} {
  if (strategy.type === 'Recreate') return { surge: 0, unavailable: desired };
  const limits = strategy.rollingUpdate;
  const pods = (limit: number | string, round: (value: number) => number) =>
    typeof limit === 'number' ? limit : round((Number.parseInt(limit, 10) * desired) / 100);
  const surge = pods(limits.maxSurge, Math.ceil);
  const unavailable = pods(limits.maxUnavailable, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, desired) };
}

/** Takes up to `budget` replicas away, from each set at most what `from` says of it. */
function take(
  sets: readonly SetState[],
  budget: number,
  from: (set: SetState) => number,
): readonly SetState[] {
  let left = budget;
  return sets.map((set) => {
    const taken = Math.min(left, Math.max(0, from(set)));
    left -= taken;
    return { ...set, replicas: set.replicas - taken };
  });
}

function sized(set: SetState, replicas: number): ReadonlyMap<string, number> {
  return set.replicas === replicas ? new Map() : new Map([[set.name, replicas]]);
}

function sum(sets: readonly SetState[], of: (set: SetState) => number): number {
  return sets.reduce((total, set) => total + of(set), 0);
}
