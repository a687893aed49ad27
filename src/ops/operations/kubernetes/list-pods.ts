import type { V1Pod } from '@kubernetes/client-node';
import type { ReadOperation } from '../operation.ts';
import { selectorOf } from './deployment.ts';

/** Lists the pods that a deployment selects, by name. */
export const listPods: ReadOperation<'k8s.pods.list'> = async (
  { policy, targets, now },
  { unit, namespace, name },
) => {
  const { cluster } = targets.cluster(policy, unit, namespace);
  const pods = await cluster.pods(namespace, selectorOf(await cluster.deployment(namespace, name)));
  return pods.map((pod) => podOf(pod, now)).sort((a, b) => (a.name < b.name ? -1 : 1));
};

function podOf({ metadata, spec, status }: V1Pod, now: number) {
  const containers = status?.containerStatuses ?? [];
  const created = metadata?.creationTimestamp?.getTime() ?? now;
  return {
    name: metadata?.name ?? '',
    phase: phaseOf(metadata, status),
    ready:
      status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    age: Math.max(0, Math.floor((now - created) / 1000)),
    node: spec?.nodeName ?? '',
  };
}

/** As kubectl words it: why it is not running says more than that it is pending. */
function phaseOf(metadata: V1Pod['metadata'], status: V1Pod['status']): string {
  if (metadata?.deletionTimestamp) return 'Terminating';
  const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting?.reason)?.state?.waiting;
  return waiting?.reason ?? status?.reason ?? status?.phase ?? 'Unknown';
}
