import type { V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { podStateOf } from '../../operations/k8s/_pod-state.ts';

const running: V1ContainerState = { running: {} };
const waiting = (reason?: string): V1ContainerState => ({ waiting: reason === undefined ? {} : { reason } });
const ended = (exitCode: number, reason?: string, signal?: number): V1ContainerState => ({
  terminated: { exitCode, ...(reason !== undefined && { reason }), ...(signal !== undefined && { signal }) },
});
const of = (name: string, state: V1ContainerState, more: Partial<V1ContainerStatus> = {}) => {
  const isRunning = state.running !== undefined;
  return {
    name,
    image: 'i',
    imageID: 'i',
    restartCount: 0,
    ready: isRunning,
    started: isRunning,
    state,
    ...more,
  };
};
const is = (...types: readonly string[]) => types.map((type) => ({ type, status: 'True' }));

/** A pod with containers `a` and `b`, and init containers as named; those that begin with `side` are native sidecars. */
function pod(
  status: V1Pod['status'],
  inits: readonly string[] = [],
  metadata: V1Pod['metadata'] = {},
): V1Pod {
  const initContainers = inits.map((name) => ({
    name,
    ...(name.startsWith('side') && { restartPolicy: 'Always' }),
  }));
  const spec = { containers: [{ name: 'a' }, { name: 'b' }], initContainers };
  return { metadata, spec, ...(status && { status }) };
}

const both = [of('a', running), of('b', running)];
const gone = { deletionTimestamp: new Date() };

// What kubectl prints for the same pods: READY, STATUS, RESTARTS.
test.each<[what: string, pod: V1Pod, ready: string, status: string, restarts: number]>([
  ['runs', pod({ phase: 'Running', containerStatuses: both }), '2/2', 'Running', 0],
  ['waits for a node', pod({ phase: 'Pending' }), '0/2', 'Pending', 0],
  ['has no status yet', pod(undefined), '0/2', 'Unknown', 0],
  [
    'is held back',
    pod({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    '0/2',
    'SchedulingGated',
    0,
  ],
  ['was evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/2', 'Evicted', 0],
  [
    'has one container in a crash loop',
    pod({
      phase: 'Running',
      containerStatuses: [of('a', running), of('b', waiting('CrashLoopBackOff'), { restartCount: 7 })],
    }),
    '1/2',
    'CrashLoopBackOff',
    7,
  ],
  [
    'has two reasons, of which the first container has the word',
    pod({
      phase: 'Pending',
      containerStatuses: [of('a', waiting('ErrImagePull')), of('b', waiting('CreateContainerConfigError'))],
    }),
    '0/2',
    'ErrImagePull',
    0,
  ],
  [
    'was killed for its memory',
    pod({
      phase: 'Running',
      containerStatuses: [of('a', ended(137, 'OOMKilled'), { restartCount: 2 }), of('b', running)],
    }),
    '1/2',
    'OOMKilled',
    2,
  ],
  [
    'was ended by a signal',
    pod({ phase: 'Failed', containerStatuses: [of('a', ended(0, undefined, 9))] }),
    '0/2',
    'Signal:9',
    0,
  ],
  [
    'ended without a reason',
    pod({ phase: 'Failed', containerStatuses: [of('a', ended(3))] }),
    '0/2',
    'ExitCode:3',
    0,
  ],
  [
    'has one container that is through while the other runs',
    pod({
      phase: 'Running',
      containerStatuses: [of('a', ended(0, 'Completed')), of('b', running)],
      conditions: is('Ready'),
    }),
    '1/2',
    'Running',
    0,
  ],
  [
    'has one container that is through, and is not ready',
    pod({ phase: 'Running', containerStatuses: [of('a', ended(0, 'Completed')), of('b', running)] }),
    '1/2',
    'NotReady',
    0,
  ],
  ['is going', pod({ phase: 'Running', containerStatuses: both }, [], gone), '2/2', 'Terminating', 0],
  [
    'is going, on a node that is lost',
    pod({ phase: 'Running', reason: 'NodeLost' }, [], gone),
    '0/2',
    'Unknown',
    0,
  ],
  [
    'is going, and was through before',
    pod({ phase: 'Succeeded', containerStatuses: [of('a', ended(0, 'Completed'))] }, [], gone),
    '0/2',
    'Completed',
    0,
  ],
  [
    'runs its first init container',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [of('one', running), of('two', waiting('PodInitializing'))],
        containerStatuses: [of('a', waiting('PodInitializing'))],
      },
      ['one', 'two'],
    ),
    '0/2',
    'Init:0/2',
    0,
  ],
  [
    'waits for its second init container',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [of('one', ended(0, 'Completed')), of('two', waiting('PodInitializing'))],
      },
      ['one', 'two'],
    ),
    '0/2',
    'Init:1/2',
    0,
  ],
  [
    'has an init container in a crash loop',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [of('one', waiting('CrashLoopBackOff'), { restartCount: 4 })],
        containerStatuses: [of('a', waiting('PodInitializing'))],
      },
      ['one'],
    ),
    '0/2',
    'Init:CrashLoopBackOff',
    4,
  ],
  [
    'has an init container that failed',
    pod({ phase: 'Pending', initContainerStatuses: [of('one', ended(1, 'Error'))] }, ['one']),
    '0/2',
    'Init:Error',
    0,
  ],
  [
    'has an init container that failed without a reason',
    pod({ phase: 'Pending', initContainerStatuses: [of('one', ended(2))] }, ['one']),
    '0/2',
    'Init:ExitCode:2',
    0,
  ],
  [
    'has an init container that a signal ended',
    pod({ phase: 'Pending', initContainerStatuses: [of('one', ended(137, undefined, 9))] }, ['one']),
    '0/2',
    'Init:Signal:9',
    0,
  ],
  [
    'has a sidecar that runs, while an init container does',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [of('side', running), of('one', running, { ready: false })],
      },
      ['side', 'one'],
    ),
    '1/3',
    'Init:1/2',
    0,
  ],
  [
    'runs, and its sidecar too',
    pod(
      {
        phase: 'Running',
        initContainerStatuses: [of('side', running, { restartCount: 1 })],
        containerStatuses: both,
        conditions: is('Initialized'),
      },
      ['side'],
    ),
    '3/3',
    'Running',
    1,
  ],
  [
    'runs with a sidecar that crashes, which is not held against what was initialized',
    pod(
      {
        phase: 'Running',
        initContainerStatuses: [of('side', waiting('CrashLoopBackOff'), { restartCount: 5 })],
        containerStatuses: both,
        conditions: is('Initialized'),
      },
      ['side'],
    ),
    '2/3',
    'Init:CrashLoopBackOff',
    5,
  ],
  [
    'waits for a container after its init containers, whose restarts do not count any more',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [of('one', ended(0, 'Completed'), { restartCount: 3 })],
        containerStatuses: [of('a', waiting('ImagePullBackOff'))],
        conditions: is('Initialized'),
      },
      ['one'],
    ),
    '0/2',
    'ImagePullBackOff',
    0,
  ],
])('a pod that %s', (_, given, ready, status, restarts) => {
  const { phase, readyContainers, containers, restarts: counted } = podStateOf(given);
  expect([`${readyContainers}/${containers}`, phase, counted]).toEqual([ready, status, restarts]);
});
