import {
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
  type V1Pod,
  type V1ResourceQuota,
  type V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import { type Context, kubernetesName, type Unread, unit } from '#operations';

/** What a confirmed change is written to: the deployment, only while it is at that `resourceVersion`. */
export interface WriteAt {
  /** Of the operation. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

/** What names a deployment in an input. */
export const deploymentInput = { unit, namespace: kubernetesName, name: kubernetesName };

const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** The label that names the operation for which a deployment was touched last, so that its write can no longer come. */
export const FENCED_BY = 'keypad/not-executed';

/** The name under which an operation writes: the server keeps it beside every field that it changed. */
export function managerOf(operationId: string): string {
  return `keypad-${operationId}`;
}

export type Cluster = ReturnType<typeof clusterOf>['cluster'];

/** What the operations of this folder ask of the cluster of a unit. See `Cluster` of `#operations` for what is thrown. */
export function clusterOf(context: Context, unit: string, namespace?: string) {
  const { cluster, ...reach } = context.cluster(unit, namespace);
  const { read, listed, written } = cluster;
  const apps = cluster.api(AppsV1Api);
  const core = cluster.api(CoreV1Api);
  const autoscaling = cluster.api(AutoscalingV2Api);
  const patchOf = ({ id, namespace, name, resourceVersion }: WriteAt, spec: object) => {
    return { namespace, name, fieldManager: managerOf(id), body: { metadata: { resourceVersion }, spec } };
  };
  const asked = {
    deployments: (namespace: string): Promise<readonly V1Deployment[] & Unread> =>
      listed(namespace, 'DeploymentList', apps.listNamespacedDeployment({ namespace, limit: 1000 })),
    deployment: (namespace: string, name: string): Promise<V1Deployment> =>
      read(`${namespace}/${name}`, 'Deployment', apps.readNamespacedDeployment({ namespace, name })),
    pods: (namespace: string, labelSelector: string): Promise<readonly V1Pod[] & Unread> =>
      listed(namespace, 'PodList', core.listNamespacedPod({ namespace, labelSelector, limit: 1000 })),
    autoscalers: (namespace: string): Promise<readonly V2HorizontalPodAutoscaler[]> =>
      listed(
        namespace,
        'HorizontalPodAutoscalerList',
        autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }),
      ),
    quotas: (namespace: string): Promise<readonly V1ResourceQuota[]> =>
      listed(namespace, 'ResourceQuotaList', core.listNamespacedResourceQuota({ namespace })),
    /** Writes a deployment's scale, under the name of the operation. */
    patchScale: (to: WriteAt, spec: object): Promise<void> =>
      written(to.name, 'Scale', apps.patchNamespacedDeploymentScale(patchOf(to, spec), merge)),
    /** The same for a deployment itself. */
    patchDeployment: (to: WriteAt, spec: object): Promise<void> =>
      written(to.name, 'Deployment', apps.patchNamespacedDeployment(patchOf(to, spec), merge)),
    /**
     * Makes every write fail that was sent for an earlier resourceVersion and has yet to arrive. A label, unlike an
     * annotation, is no new generation: what others have previewed stays true.
     */
    async fence({ id, namespace, name, resourceVersion }: WriteAt): Promise<void> {
      const body = { metadata: { resourceVersion, labels: { [FENCED_BY]: id } } };
      const request = { namespace, name, fieldManager: 'keypad', body };
      await written(name, 'Deployment', apps.patchNamespacedDeployment(request, merge));
    },
  };
  return { ...reach, cluster: asked };
}
