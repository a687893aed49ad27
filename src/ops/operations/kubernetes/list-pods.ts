import type { V1Pod } from '@kubernetes/client-node';
import { pod as form } from '../../../contract/kubernetes.ts';
import { listOf } from '../listing.ts';
import type { ReadOperation } from '../operation.ts';
import { selectorOf } from './deployment.ts';
import { podStateOf } from './pod-state.ts';

/** Lists the pods that a deployment selects, by name. */
export const listPods: ReadOperation<'k8s.pods.list'> = async (
  { policy, targets, now },
  { unit, namespace, name },
) => {
  const { cluster } = targets.cluster(policy, unit, namespace);
  const selector = selectorOf(await cluster.deployment(namespace, name));
  const pods = await listOf({
    places: [namespace],
    nameOf: () => `命名空间 ${namespace}`,
    read: () => cluster.pods(namespace, selector),
    rowOf: (pod) => podOf(pod, now),
    form,
  });
  return pods.sort((a, b) => (a.name < b.name ? -1 : 1));
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
