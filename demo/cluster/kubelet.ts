import { withCondition } from './conditions.ts';
import { isHindrance, type Run, runOf } from './job-images.ts';
import { stamp } from './json.ts';
import { type ContainerState, endsByItself, isOver, stateOf, statusWith } from './pod-status.ts';
import type { Pod } from './shapes.ts';
import type { World } from './world.ts';

/** The scheduler and the kubelet of the demo: moves pods one step of their life at a time. */
export interface Kubelet {
  /** Takes every pod one step further; false when all have arrived. */
  tick(): boolean;
}

type Container = Pod['spec']['containers'][number];

const source = 'kubelet';

/** Creates the kubelet. Images for which `isAbsent` holds cannot be pulled; `alarm` asks for a tick at a moment (in milliseconds). */
export function createKubelet(
  world: World,
  options: { readonly isAbsent: (image: string) => boolean; readonly alarm: (at: number) => void },
): Kubelet {
  let addresses = 0;

  const write = (pod: Pod, status: Pod['status']): true => {
    world.registry.update('pods', pod, { ...pod, status }, { manager: source, subresource: 'status' });
    return true;
  };
  const enter = (pod: Pod, state: (container: Container) => ContainerState, ready = false): true =>
    write(pod, statusWith(pod, state, { ready, now: world.now() }));

  const schedule = (pod: Pod): boolean => {
    const node = world.store.list('nodes').find((each) => each.spec.unschedulable !== true);
    if (node === undefined) return refuse(pod);
    const nodeName = node.metadata.name;
    const bound = world.registry.set(
      'pods',
      { ...pod, spec: { ...pod.spec, nodeName } },
      { manager: 'kube-scheduler' },
    );
    const { namespace, name } = pod.metadata;
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    world.record(pod, { source: 'default-scheduler', reason: 'Scheduled', message });
    const now = world.now();
    const creating = statusWith(bound, () => ({ waiting: { reason: 'ContainerCreating' } }), {
      ready: false,
      now,
    });
    const conditions = withCondition(creating.conditions, { type: 'PodScheduled', status: 'True' }, now);
    return write(bound, { ...creating, conditions, startTime: stamp(now) });
  };
  const refuse = (pod: Pod): boolean => {
    const reason = 'Unschedulable';
    const message = '0/1 nodes are available: 1 node(s) were unschedulable.';
    const said = { type: 'PodScheduled', status: 'False', reason, message } as const;
    const conditions = withCondition(pod.status.conditions, said, world.now());
    if (conditions === pod.status.conditions) return false;
    world.record(pod, { source: 'default-scheduler', type: 'Warning', reason: 'FailedScheduling', message });
    return write(pod, { ...pod.status, conditions });
  };

  /** Why a container cannot start. */
  const hindrance = (pod: Pod, container: Container): ContainerState['waiting'] => {
    const { image } = container;
    if (options.isAbsent(image)) {
      return { reason: 'ErrImagePull', message: `Failed to pull image "${image}": ${image}: not found` };
    }
    const run = endsByItself(pod) ? runOf(pod, container) : undefined;
    return run && isHindrance(run) ? { reason: run.waiting, message: run.message } : undefined;
  };
  const start = (pod: Pod): boolean => {
    const waiting = pod.spec.containers.map((each) => hindrance(pod, each)).find(Boolean);
    if (waiting !== undefined) {
      const message = `${waiting.message}`;
      world.record(pod, { source, type: 'Warning', reason: 'Failed', message });
      return enter(pod, () => ({ waiting }));
    }
    for (const { name, image } of pod.spec.containers) {
      world.record(pod, { source, reason: 'Pulled', message: `Successfully pulled image "${image}"` });
      world.record(pod, { source, reason: 'Created', message: `Created container: ${name}` });
      world.record(pod, { source, reason: 'Started', message: `Started container ${name}` });
    }
    addresses += 1;
    const podIP = `10.244.${Math.floor(addresses / 250)}.${(addresses % 250) + 2}`;
    const now = world.now();
    const running = statusWith(pod, () => ({ running: { startedAt: stamp(now) } }), { ready: false, now });
    return write(pod, { ...running, podIP, podIPs: [{ ip: podIP }] });
  };
  const backOff = (pod: Pod): boolean => {
    const image = pod.spec.containers.find((each) => hindrance(pod, each))?.image;
    const message = `Back-off pulling image "${image}"`;
    world.record(pod, { source, type: 'Warning', reason: 'BackOff', message });
    return enter(pod, () => ({ waiting: { reason: 'ImagePullBackOff', message } }));
  };

  /** What a container has done whose time is over. */
  const doneBy = (pod: Pod, container: Container): Run | undefined => {
    const { running } = stateOf(pod, container.name);
    const run = runOf(pod, container);
    if (running === undefined || isHindrance(run)) return undefined;
    const due = Date.parse(running.startedAt) + run.seconds * 1000;
    if (due <= world.now().getTime()) return run;
    options.alarm(due);
    return undefined;
  };
  const finish = (pod: Pod): boolean => {
    const done = pod.spec.containers.map((container) => doneBy(pod, container));
    if (done.every((run) => run === undefined)) return false;
    return enter(
      pod,
      (container) => {
        const state = stateOf(pod, container.name);
        const run = done[pod.spec.containers.indexOf(container)];
        return run === undefined ? state : terminated(state, run);
      },
      true,
    );
  };
  const terminated = (
    state: ContainerState,
    { exitCode, reason }: Pick<Run, 'exitCode' | 'reason'>,
  ): ContainerState => {
    if (state.running === undefined) return state;
    const { startedAt } = state.running;
    return { terminated: { exitCode, reason, startedAt, finishedAt: stamp(world.now()) } };
  };

  const end = (pod: Pod): boolean => {
    const running = pod.spec.containers.filter(({ name }) => stateOf(pod, name).running !== undefined);
    if (running.length === 0) {
      world.store.drop('pods', pod);
      return true;
    }
    for (const { name } of running) {
      world.record(pod, { source, reason: 'Killing', message: `Stopping container ${name}` });
    }
    // A server ends in peace when it is asked to; work that is cut off has failed.
    const outcome = endsByItself(pod)
      ? ({ exitCode: 143, reason: 'Error' } as const)
      : ({ exitCode: 0, reason: 'Completed' } as const);
    return enter(pod, ({ name }) => terminated(stateOf(pod, name), outcome));
  };

  const step = (pod: Pod): boolean => {
    if (pod.metadata.deletionTimestamp !== undefined) return end(pod);
    if (isOver(pod)) return false;
    if (pod.spec.nodeName === undefined) return schedule(pod);
    const { waiting } = stateOf(pod, pod.spec.containers[0]?.name ?? '');
    if (waiting?.reason === 'ContainerCreating') return start(pod);
    if (waiting?.reason === 'ErrImagePull') return backOff(pod);
    if (waiting !== undefined) return false;
    const isUnready = (pod.status.containerStatuses ?? []).some(
      ({ ready, state }) => state.running !== undefined && !ready,
    );
    if (endsByItself(pod) && finish(pod)) return true;
    return isUnready && enter(pod, ({ name }) => stateOf(pod, name), true);
  };

  return {
    tick: () => world.store.list('pods').reduce((moved, pod) => step(pod) || moved, false),
  };
}
