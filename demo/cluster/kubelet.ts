import { type ConditionState, withCondition } from './conditions.ts';
import { stamp } from './json.ts';
import type { Condition, Pod } from './shapes.ts';
import type { World } from './world.ts';

/** The scheduler and the kubelet of the demo: moves pods one step of their life at a time. */
export interface Kubelet {
  /** Takes every pod one step further; false when all have arrived. */
  tick(): boolean;
}

const source = 'kubelet';

/** Creates the kubelet. Images for which `isAbsent` holds cannot be pulled. */
export function createKubelet(world: World, isAbsent: (image: string) => boolean): Kubelet {
  let addresses = 0;

  const write = (pod: Pod, status: Pod['status']): true => {
    world.registry.update('pods', pod, { ...pod, status }, { manager: source, subresource: 'status' });
    return true;
  };
  /** The status with every container in this state. */
  const inState = (pod: Pod, state: Readonly<Record<string, unknown>>, ready = false): Pod['status'] => ({
    ...pod.status,
    phase: 'waiting' in state ? 'Pending' : 'Running',
    containerStatuses: pod.spec.containers.map(({ name, image }) => {
      return { name, image, imageID: image, ready, started: 'running' in state, restartCount: 0, state };
    }),
    conditions: readiness(pod, ready),
  });
  const readiness = (pod: Pod, ready: boolean): Condition[] => {
    const said: Omit<ConditionState, 'type'> = ready
      ? { status: 'True' }
      : { status: 'False', reason: 'ContainersNotReady' };
    const now = world.now();
    const containers = withCondition(pod.status.conditions, { type: 'ContainersReady', ...said }, now);
    return withCondition(containers, { type: 'Ready', ...said }, now);
  };

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
    const time = world.now();
    const conditions = withCondition(readiness(pod, false), { type: 'PodScheduled', status: 'True' }, time);
    const creating = inState(bound, { waiting: { reason: 'ContainerCreating' } });
    return write(bound, { ...creating, conditions, startTime: stamp(time) });
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

  const start = (pod: Pod, image: string): boolean => {
    if (isAbsent(image)) {
      const message = `Failed to pull image "${image}": ${image}: not found`;
      world.record(pod, { source, type: 'Warning', reason: 'Failed', message });
      return write(pod, inState(pod, { waiting: { reason: 'ErrImagePull', message } }));
    }
    world.record(pod, { source, reason: 'Pulled', message: `Successfully pulled image "${image}"` });
    for (const { name } of pod.spec.containers) {
      world.record(pod, { source, reason: 'Created', message: `Created container: ${name}` });
      world.record(pod, { source, reason: 'Started', message: `Started container ${name}` });
    }
    addresses += 1;
    const podIP = `10.244.${Math.floor(addresses / 250)}.${(addresses % 250) + 2}`;
    const running = inState(pod, { running: { startedAt: stamp(world.now()) } });
    return write(pod, { ...running, podIP, podIPs: [{ ip: podIP }] });
  };
  const backOff = (pod: Pod, image: string): boolean => {
    const message = `Back-off pulling image "${image}"`;
    world.record(pod, { source, type: 'Warning', reason: 'BackOff', message });
    return write(pod, inState(pod, { waiting: { reason: 'ImagePullBackOff', message } }));
  };

  const end = (pod: Pod): boolean => {
    const container = pod.status.containerStatuses?.[0];
    if (container?.state.running === undefined) {
      world.store.drop('pods', pod);
      return true;
    }
    world.record(pod, { source, reason: 'Killing', message: `Stopping container ${container.name}` });
    const finishedAt = stamp(world.now());
    return write(pod, inState(pod, { terminated: { exitCode: 0, reason: 'Completed', finishedAt } }));
  };

  const step = (pod: Pod): boolean => {
    if (pod.metadata.deletionTimestamp !== undefined) return end(pod);
    if (pod.spec.nodeName === undefined) return schedule(pod);
    const image =
      pod.spec.containers.find((each) => isAbsent(each.image))?.image ?? pod.spec.containers[0]?.image;
    const [container] = pod.status.containerStatuses ?? [];
    const waiting = container?.state.waiting?.reason;
    if (waiting === 'ContainerCreating') return start(pod, image ?? '');
    if (waiting === 'ErrImagePull') return backOff(pod, image ?? '');
    const running = container?.state.running;
    if (running === undefined || container?.ready === true) return false;
    return write(pod, inState(pod, { running }, true));
  };

  return {
    tick: () => world.store.list('pods').reduce((moved, pod) => step(pod) || moved, false),
  };
}
