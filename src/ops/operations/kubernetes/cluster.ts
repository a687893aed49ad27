import {
  ApiException,
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  PatchStrategy,
  ServerConfiguration,
  setHeaderOptions,
  type V1Deployment,
  type V1Pod,
  type V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import { ConfigError, mayHaveArrived, Refused } from '../../../errors.ts';
import { TargetFailed } from '../../target-failed.ts';
import type { ConfirmedChange } from '../operation.ts';
import { managerOf, resourceVersionIn } from './deployment.ts';

/** A confirmed change to a deployment. */
type Change = Pick<ConfirmedChange<'k8s.restart'>, 'id' | 'version' | 'input'>;

export type Cluster = ReturnType<typeof openCluster>;

/** The clusters of a kubeconfig file by context; no request is made. Throws a ConfigError when it cannot be read. */
export function openClusters(path: string): ReadonlyMap<string, Cluster> {
  return new Map(
    loadKubeconfig(path).contexts.map(({ name }) => {
      const config = loadKubeconfig(path);
      config.setCurrentContext(name);
      return [name, openCluster(config)];
    }),
  );
}

const LIMIT_MS = 3000;
const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/**
 * What operations ask of a cluster, each within 3 s. Throws Refused('missing') when the object is not there,
 * Refused('moved') when it is no longer at the version asked for, and TargetFailed for anything else.
 */
function openCluster(config: KubeConfig) {
  const client = createConfiguration({
    baseServer: new ServerConfiguration(config.getCurrentCluster()?.server ?? '', {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        async pre(request) {
          request.setSignal(AbortSignal.timeout(LIMIT_MS));
          return request;
        },
        post: async (response) => response,
      },
    ],
  });
  const apps = new AppsV1Api(client);
  const core = new CoreV1Api(client);
  const autoscaling = new AutoscalingV2Api(client);
  const written = ({ id, version, input: { namespace, name } }: Change, spec: object) => ({
    namespace,
    name,
    fieldManager: managerOf(id),
    body: { metadata: { resourceVersion: resourceVersionIn(version) }, spec },
  });
  return {
    deployments: async (namespace: string): Promise<readonly V1Deployment[]> =>
      (await asked(namespace, apps.listNamespacedDeployment({ namespace, limit: 1000 }))).items,
    deployment: (namespace: string, name: string): Promise<V1Deployment> =>
      asked(`${namespace}/${name}`, apps.readNamespacedDeployment({ namespace, name })),
    pods: async (namespace: string, labelSelector: string): Promise<readonly V1Pod[]> =>
      (await asked(namespace, core.listNamespacedPod({ namespace, labelSelector, limit: 1000 }))).items,
    autoscalers: async (namespace: string): Promise<readonly V2HorizontalPodAutoscaler[]> =>
      (await asked(namespace, autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }))).items,
    /** Writes a deployment's scale: only at the version that was previewed, and under the name of the operation. */
    async patchScale(change: Change, spec: object): Promise<void> {
      await asked(change.input.name, apps.patchNamespacedDeploymentScale(written(change, spec), merge));
    },
    /** The same for a deployment itself. */
    async patchDeployment(change: Change, spec: object): Promise<void> {
      await asked(change.input.name, apps.patchNamespacedDeployment(written(change, spec), merge));
    },
  };
}

/** Words the errors of the client, which carry whole responses, for a person. */
function asked<T>(what: string, request: Promise<T>): Promise<T> {
  return request.catch((cause: unknown) => {
    if (cause instanceof ApiException) throw answered(what, cause);
    throw new TargetFailed('集群连不上，请稍后再试', { mayHaveHappened: mayHaveArrived(cause), cause });
  });
}

function answered(what: string, error: ApiException<unknown>): Error {
  const { code } = error;
  if (code === 404) return new Refused('missing', `集群里没有 ${what}`);
  if (code === 409) return new Refused('moved', `${what} 刚刚被改动过`);
  const cause = new Error(`the cluster answered ${code}`);
  const options = { mayHaveHappened: code >= 500, cause };
  if (code === 401 || code === 403) return new TargetFailed(`集群不允许 Keypad 这样做（${code}）`, options);
  return new TargetFailed(`集群拒绝了请求（${code}）`, options);
}

function loadKubeconfig(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : error;
    throw new ConfigError([`KUBECONFIG: ${path} cannot be read (${reason}); give the path of a kubeconfig`]);
  }
  return config;
}
