import {
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  createConfiguration,
  PatchStrategy,
  ResponseContext,
  ServerConfiguration,
  setHeaderOptions,
  type V1Deployment,
  type V1Pod,
  type V1ResourceQuota,
  type V2HorizontalPodAutoscaler,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import type { Unread } from '../../../contract/operation.ts';
import type { Connections } from '../../kubeconfig/connections.ts';
import type { TargetFailed } from '../../target-failed.ts';
import type { ConfirmedChange } from '../operation.ts';
import { createAnswers } from './answers.ts';
import { FENCED_BY, managerOf } from './deployment.ts';

/** What a confirmed change is written to: the deployment, only while it is at that `resourceVersion`. */
export interface WriteAt extends Pick<ConfirmedChange<'k8s.restart'>, 'id' | 'input'> {
  readonly resourceVersion: string;
}

export type Cluster = ReturnType<typeof openCluster>;

const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** What a cluster is reached with. */
export interface ClusterParts {
  /** The context of the kubeconfig; it stands in the sentences for users. */
  readonly name: string;
  readonly connections: Pick<Connections, 'send'>;
  /** Hears why the cluster did not do what it was asked; for the log. */
  onFailure(error: TargetFailed): void;
}

/**
 * What operations ask of a cluster, each within 3 s. Throws Refused('missing') when the object is not there,
 * Refused('moved') when it is no longer at the version asked for, and TargetFailed for anything else, also for an answer
 * that is not of the kind asked for.
 */
export function openCluster({ name: context, connections, onFailure }: ClusterParts) {
  const client = createConfiguration({
    baseServer: new ServerConfiguration('https://cluster', {}),
    httpApi: wrapHttpLibrary({
      async send(request) {
        const url = new URL(request.getUrl());
        const body = request.getBody() as string | undefined;
        const { status, text } = await connections.send(context, {
          method: request.getHttpMethod() as 'GET' | 'PATCH',
          path: url.pathname + url.search,
          headers: request.getHeaders(),
          ...(body !== undefined && { body }),
        });
        // Whatever the type that it names, an answer is either the JSON of an object or not understood.
        const headers = { 'content-type': 'application/json' };
        return new ResponseContext(status, headers, {
          text: async () => text,
          binary: async () => Buffer.from(text),
          stream: () => null,
        });
      },
    }),
  });
  const { read, listed, written } = createAnswers(`集群 ${context} `, onFailure);
  const apps = new AppsV1Api(client);
  const core = new CoreV1Api(client);
  const autoscaling = new AutoscalingV2Api(client);
  const patchOf = ({ id, input: { namespace, name }, resourceVersion }: WriteAt, spec: object) => {
    return { namespace, name, fieldManager: managerOf(id), body: { metadata: { resourceVersion }, spec } };
  };
  return {
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
      written(to.input.name, 'Scale', apps.patchNamespacedDeploymentScale(patchOf(to, spec), merge)),
    /** The same for a deployment itself. */
    patchDeployment: (to: WriteAt, spec: object): Promise<void> =>
      written(to.input.name, 'Deployment', apps.patchNamespacedDeployment(patchOf(to, spec), merge)),
    /**
     * Makes every write fail that was sent for an earlier resourceVersion and has yet to arrive. A label, unlike an
     * annotation, is no new generation: what others have previewed stays true.
     */
    async fence({ id, input: { namespace, name }, resourceVersion }: WriteAt): Promise<void> {
      const body = { metadata: { resourceVersion, labels: { [FENCED_BY]: id } } };
      const request = { namespace, name, fieldManager: 'keypad', body };
      await written(name, 'Deployment', apps.patchNamespacedDeployment(request, merge));
    },
  };
}
