import type { V1Pod } from '@kubernetes/client-node';
import type { ReadOperation } from '../operation.ts';
import { selectorOf } from './deployment.ts';
import { podStateOf } from './pod-state.ts';

/** Lists the pods that a deployment selects, by name. */
export const listPods: ReadOperation<'k8s.pods.list'> = async (
  { policy, targets, now },
  { unit, namespace, name },
) => {
  const { cluster } = targets.cluster(policy, unit, namespace);
  const pods = await cluster.pods(namespace, selectorOf(await cluster.deployment(namespace, name)));
  return pods.map((pod) => podOf(pod, now)).sort((a, b) => (a.name < b.name ? -1 : 1));
};

function podOf(pod: V1Pod, now: number) {
  const { metadata, spec, status } = pod;
  const created = metadata?.creationTimestamp?.getTime() || now;
  return {
    name: metadata?.name ?? '',
    ...podStateOf(pod),
    ready:
      status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    age: Math.max(0, Math.floor((now - created) / 1000)),
    node: spec?.nodeName ?? '',
  };
}
