import * as z from 'zod';
import { kubernetesName, type Operations, type Risk, unit } from './operation.ts';

/** No policy can allow more pods of one deployment. */
export const MOST_REPLICAS = 1000;

/** What a phone needs to know of a deployment. `key` is `namespace/name`; counts are pods. */
export const deployment = z.object({
  key: z.string(),
  label: z.string(),
  namespace: kubernetesName,
  name: kubernetesName,
  replicas: z.int(),
  ready: z.int(),
  image: z.string(),
});

/** What a phone needs to know of a pod. `phase` is what kubectl calls its status; `age` is in seconds. */
export const pod = z.object({
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

const target = { unit, namespace: kubernetesName, name: kubernetesName };

/** The Kubernetes operations: names, inputs, outputs. */
export const kubernetes = {
  'k8s.deployments.list': {
    kind: 'read',
    title: '查看部署',
    input: z.strictObject({ unit }),
    output: z.array(deployment),
  },
  'k8s.pods.list': { kind: 'read', title: 'Pod 列表', input: z.strictObject(target), output: z.array(pod) },
  'k8s.scale': {
    kind: 'change',
    title: '扩缩容',
    input: z.strictObject({ ...target, replicas: z.int().min(0).max(MOST_REPLICAS) }),
  },
  'k8s.restart': { kind: 'change', title: '重启部署', input: z.strictObject(target) },
} as const satisfies Operations;

/** Scaling to 0, or by more than half of what runs now, is `high`; so is starting from nothing. */
export function scaleRisk(before: number, after: number): Risk {
  return after === 0 || before === 0 || Math.abs(after - before) / before > 0.5 ? 'high' : 'low';
}
