import {
  ApiException,
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { type RunningCluster, type Seed, startCluster } from '../../../demo/cluster/cluster.ts';

/** A small cluster with its client: namespace `shop` with web 2 and cart 3, and `broken` whose image is not there. */
export interface SmallCluster {
  readonly cluster: RunningCluster;
  readonly config: KubeConfig;
  readonly apps: AppsV1Api;
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  /** Waits, on a watch that begins with everything there is, for an object that is as wanted. */
  until(plural: keyof typeof roots, which: Which, wanted: Wanted): Promise<Seen>;
}

const roots = { deployments: '/apis/apps/v1', jobs: '/apis/batch/v1', pods: '/api/v1' } as const;

type Which = { readonly labelSelector: string } | { readonly fieldSelector: string };
type Wanted = (object: Seen, type: string) => boolean;

/** As much of an object as the tests look at. */
export interface Seen {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly phase?: string;
    readonly active?: number;
    readonly failed?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export const token = 'small-cluster-token';

/** The seed of the small cluster: everything has been there for an hour. */
export const smallSeed: Seed = {
  objects: [
    { plural: 'nodes', age: 3600, object: { metadata: { name: 'node-1' } } },
    { plural: 'namespaces', age: 3600, object: { metadata: { name: 'shop' } } },
    ...[deployment('web', 2), deployment('cart', 3), deployment('broken', 1)].map((object) => {
      return { plural: 'deployments', age: 3600, object } as const;
    }),
  ],
  absentImages: ['shop/broken:1'],
  speech: () => ['request {n} served'],
};

/** A deployment of `<name>:1`. */
export function deployment(name: string, replicas: number): Readonly<Record<string, unknown>> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image: `shop/${name}:1` }] } };
  return {
    metadata: { namespace: 'shop', name, labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

/** Starts the small cluster on a free port, with pods that take no time between the steps of their life, on this clock. */
export async function startSmallCluster(now = () => new Date()): Promise<SmallCluster> {
  const cluster = await startCluster({ port: 0, token, seed: smallSeed, tick: 0, now });
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig);
  const until: SmallCluster['until'] = async (plural, which, wanted) => {
    const path = `${roots[plural]}/namespaces/shop/${plural}`;
    const { promise, resolve, reject } = Promise.withResolvers<Seen>();
    const watching = await new Watch(config).watch(
      path,
      which,
      (type, object: Seen) => wanted(object, type) && resolve(object),
      (error) => reject(error ?? new Error('the watch ended')),
    );
    try {
      return await promise;
    } finally {
      watching.abort();
    }
  };
  return {
    cluster,
    config,
    apps: config.makeApiClient(AppsV1Api),
    core: config.makeApiClient(CoreV1Api),
    batch: config.makeApiClient(BatchV1Api),
    until,
  };
}

/** The code and reason with which the API refuses. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiException)) throw new Error('not refused', { cause: error });
  const body: V1Status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
  return `${error.code} ${body.reason}`;
}

/** Whether a deployment has come to rest with that many ready pods and no others. */
export function isAtRest(replicas: number): (object: Seen) => boolean {
  return ({ metadata, status }) =>
    status?.observedGeneration === metadata.generation &&
    (status?.readyReplicas ?? 0) === replicas &&
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas;
}

/** Finds the one of that name. */
export function named(name: string): Which {
  return { fieldSelector: `metadata.name=${name}` };
}

/** Whether an object belongs to that application. */
export function isOf(
  application: string,
): (object: {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> | undefined };
}) => boolean {
  return ({ metadata }) => metadata.labels?.app === application;
}

/** Whether an object has that condition with that status. */
export function has(type: string, status: string): (object: Seen) => boolean {
  return (object) =>
    object.status?.conditions?.some((each) => each.type === type && each.status === status) ?? false;
}
