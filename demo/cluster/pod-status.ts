import { type ConditionState, withCondition } from './conditions.ts';
import type { Condition, Pod } from './shapes.ts';

type Container = Pod['spec']['containers'][number];
type ContainerStatus = NonNullable<Pod['status']['containerStatuses']>[number];

/** What a container does: it waits, runs, or has ended. */
export type ContainerState = ContainerStatus['state'];

/** The status of a pod whose containers are in these states; `ready` are those that run and have said so. */
export function statusWith(
  pod: Pod,
  stateOf: (container: Container) => ContainerState,
  options: { readonly ready: boolean; readonly now: Date },
): Pod['status'] {
  const containerStatuses = pod.spec.containers.map((container): ContainerStatus => {
    const { name, image } = container;
    const state = stateOf(container);
    const isRunning = state.running !== undefined;
    const ready = isRunning && options.ready;
    return { name, image, imageID: image, ready, started: isRunning, restartCount: 0, state };
  });
  const phase = phaseOf(containerStatuses.map(({ state }) => state));
  const ready = containerStatuses.every((each) => each.ready);
  const reason = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
  const conditions = readiness(pod, { ready, reason: reason ?? 'ContainersNotReady' }, options.now);
  return { ...pod.status, phase, containerStatuses, conditions };
}

/** The state of a container as it stands; one that has no state yet is being created. */
export function stateOf(pod: Pod, name: string): ContainerState {
  const found = pod.status.containerStatuses?.find((each) => each.name === name);
  return found?.state ?? { waiting: { reason: 'ContainerCreating' } };
}

/** Whether the containers of a pod do their work once; all others serve until they are stopped. */
export function endsByItself({ spec }: Pod): boolean {
  return spec.restartPolicy === 'Never';
}

/** Whether a pod has come to its end. */
export function isOver({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

function phaseOf(states: readonly ContainerState[]): string {
  if (states.some((state) => state.waiting !== undefined)) return 'Pending';
  if (states.some((state) => state.running !== undefined)) return 'Running';
  return states.every((state) => state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
}

function readiness(
  pod: Pod,
  { ready, reason }: { readonly ready: boolean; readonly reason: string },
  now: Date,
): Condition[] {
  const said: Omit<ConditionState, 'type'> = ready ? { status: 'True' } : { status: 'False', reason };
  const containers = withCondition(pod.status.conditions, { type: 'ContainersReady', ...said }, now);
  return withCondition(containers, { type: 'Ready', ...said }, now);
}
