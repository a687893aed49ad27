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
  type V1ListMeta,
  type V1Pod,
  type V1ResourceQuota,
  type V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import type { Unread } from '../../../contract/operation.ts';
import { ConfigError, mayHaveArrived, Refused } from '../../../errors.ts';
import { TargetFailed } from '../../target-failed.ts';
import { cutShort } from '../listing.ts';
import type { ConfirmedChange } from '../operation.ts';
import { FENCED_BY, managerOf } from './deployment.ts';

/** What a confirmed change is written to: the deployment, only while it is at that `resourceVersion`. */
export interface WriteAt extends Pick<ConfirmedChange<'k8s.restart'>, 'id' | 'input'> {
  readonly resourceVersion: string;
}

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
 * Refused('moved') when it is no longer at the version asked for, and TargetFailed for anything else, also for an answer
 * that is not of the kind asked for.
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

interface KubernetesObject {
  readonly kind?: string;
}

/** The answer to a request that changes nothing. */
async function read<T extends KubernetesObject>(what: string, kind: string, request: Promise<T>): Promise<T> {
  const answer = await request.catch((cause: unknown) => fail(what, cause, false));
  return ofKind(kind, answer, false);
}

async function listed<T>(
  namespace: string,
  kind: string,
  request: Promise<KubernetesObject & { readonly items?: readonly T[]; readonly metadata?: V1ListMeta }>,
): Promise<readonly T[] & Unread> {
  const { items, metadata } = await read(namespace, kind, request);
  if (!Array.isArray(items)) return notUnderstood(false);
  return metadata?._continue ? cutShort(items, '前') : items;
}

async function written(what: string, kind: string, request: Promise<KubernetesObject>): Promise<void> {
  const answer = await request.catch((cause: unknown) => fail(what, cause, mayHaveArrived(cause)));
  ofKind(kind, answer, true);
}

/** What stands in front of a cluster may answer anything with 200. */
function ofKind<T extends KubernetesObject>(kind: string, answer: T | null, mayHaveHappened: boolean): T {
  return answer?.kind === kind ? answer : notUnderstood(mayHaveHappened);
}

function notUnderstood(mayHaveHappened: boolean, cause?: unknown): never {
  throw new TargetFailed('集群的地址上回答的不是 Kubernetes', { mayHaveHappened, cause });
}

/** Words the errors of the client, which carry whole responses, for a person. */
function fail(what: string, cause: unknown, mayHaveHappened: boolean): never {
  if (cause instanceof ApiException) throw answered(what, cause, mayHaveHappened);
  const isUnreadable = cause instanceof SyntaxError || cause instanceof TypeError || isOfUnknownType(cause);
  if (isUnreadable) notUnderstood(mayHaveHappened, cause);
  throw new TargetFailed('集群连不上，请稍后再试', { mayHaveHappened, cause });
}

/** The client knows JSON and text; for any other answer it has no error of its own. */
function isOfUnknownType(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith('The mediaType');
}

function answered(what: string, { code }: ApiException<unknown>, mayHaveArrived: boolean): Error {
  if (code === 404) return new Refused('missing', `集群里没有 ${what}`);
  if (code === 409) return new Refused('moved', `${what} 刚刚被改动过`);
  const cause = new Error(`the cluster answered ${code}`);
  const options = { mayHaveHappened: mayHaveArrived && (code >= 500 || code === 408), cause };
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
