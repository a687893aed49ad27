import type { V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** How a pod stands, as `kubectl get pods` words it. */
export interface PodState {
  readonly phase: string;
  /** Containers that are ready, of all that go on running: those of the pod, and the init containers that stay as sidecars. */
  readonly readyContainers: number;
  readonly containers: number;
  readonly restarts: number;
}

/** Reads a pod's state as kubectl does: why it is not running says more than that it is pending. */
export function podStateOf(pod: V1Pod): PodState {
  const { spec, status } = pod;
  const inits = spec?.initContainers ?? [];
  const sidecars = new Set(inits.filter((each) => each.restartPolicy === 'Always').map(({ name }) => name));
  const initStates = status?.initContainerStatuses ?? [];
  const isThrough = ({ name, state, started }: V1ContainerStatus) =>
    state?.terminated?.exitCode === 0 || (sidecars.has(name) && started === true);
  const waitsAt = initStates.findIndex((each) => !isThrough(each));
  const isWaiting = waitsAt >= 0;
  const begun = isWaiting ? initStates.slice(0, waitsAt + 1) : initStates;
  const initPhase = isWaiting ? initPhaseOf(initStates, waitsAt, inits.length) : undefined;
  // Once a pod was initialized, a sidecar that is started anew holds up nothing.
  const isInitializing = isWaiting && !hasCondition(pod, 'Initialized');
  const states = isInitializing ? [] : (status?.containerStatuses ?? []);
  const counted = isInitializing ? begun : begun.filter(({ name }) => sidecars.has(name));
  const readySidecars = counted.filter(
    (each) => sidecars.has(each.name) && isThrough(each) && isRunning(each),
  );
  return {
    phase: endingOf(pod) ?? runningPhase(pod, states, initPhase ?? phaseOf(pod)),
    readyContainers: readySidecars.length + states.filter(isRunning).length,
    containers: (spec?.containers ?? []).length + sidecars.size,
    restarts: [...counted, ...states].reduce((sum, { restartCount }) => sum + (Number(restartCount) || 0), 0),
  };
}

/** Undefined while the pod is not going away. */
function endingOf({ metadata, status }: V1Pod): string | undefined {
  if (!metadata?.deletionTimestamp) return undefined;
  if (status?.reason === 'NodeLost') return 'Unknown';
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? undefined : 'Terminating';
}

/** The init container that the pod waits for, and why; else how many of them are through. */
function initPhaseOf(states: readonly V1ContainerStatus[], at: number, total: number): string {
  const { terminated, waiting } = states[at]?.state ?? {};
  if (terminated) return `Init:${endOf(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${at}/${total}`;
}

function runningPhase(pod: V1Pod, states: readonly V1ContainerStatus[], otherwise: string): string {
  const phase = states.map(({ state }) => reasonOf(state)).find((reason) => reason) ?? otherwise;
  if (phase !== 'Completed' || !states.some(isRunning)) return phase;
  return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

function phaseOf({ status }: V1Pod): string {
  if (
    status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')
  ) {
    return 'SchedulingGated';
  }
  return status?.reason || status?.phase || 'Unknown';
}

function reasonOf({ waiting, terminated }: V1ContainerState = {}): string | undefined {
  return waiting?.reason || (terminated && endOf(terminated)) || undefined;
}

function endOf({ reason, signal, exitCode }: NonNullable<V1ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function isRunning({ ready, state }: V1ContainerStatus): boolean {
  return ready && state?.running !== undefined && state.running !== null;
}

function hasCondition({ status }: V1Pod, type: string): boolean {
  return status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}
