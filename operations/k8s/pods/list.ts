import type { V1Pod } from '@kubernetes/client-node';
import * as z from 'zod';
import { kubernetesName, listOf, read } from '#operations';
import { clusterOf, deploymentInput } from '../_cluster.ts';
import { selectorOf } from '../_deployment.ts';
import { podStateOf } from '../_pod-state.ts';

/** What a phone needs to know of a pod. `phase` is what kubectl calls its status; `age` is in seconds. */
const form = z.object({
  name: kubernetesName,
  phase: z.string(),
  ready: z.boolean(),
  /** How many of how many containers; an older platform does not say. */
  readyContainers: z.int().optional(),
  containers: z.int().optional(),
  restarts: z.int(),
  age: z.int(),
  node: z.string(),
});

/** Lists the pods that a deployment selects, by name. */
export default read({
  title: 'Pod 列表',
  input: z.strictObject(deploymentInput),
  output: z.array(form),
  async run(context, { unit, namespace, name }) {
    const { now } = context;
    const { cluster } = clusterOf(context, unit, namespace);
    const selector = selectorOf(await cluster.deployment(namespace, name));
    const pods = await listOf({
      places: [namespace],
      nameOf: () => `命名空间 ${namespace}`,
      read: () => cluster.pods(namespace, selector),
      rowOf: (pod) => podOf(pod, now),
      form,
    });
    return pods.sort((a, b) => (a.name < b.name ? -1 : 1));
  },
});

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
