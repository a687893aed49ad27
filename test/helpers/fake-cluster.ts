import { createCluster, type Hand, type Seed } from '../../demo/cluster/cluster.ts';
import type { KubernetesRequest } from '../../src/ops/kubeconfig/connection.ts';

const TOKEN = 'fake-cluster';
const AGE = 3600;

/** When a test begins, unless it says otherwise; Unix milliseconds. */
export const START = 1_767_225_600_000;

/** An object that a cluster begins with, such as `{ plural: 'jobs', object: { metadata: …, spec: … } }`. */
export type FakeObject = Pick<Seed['objects'][number], 'plural' | 'object'>;

/** A cluster without a server, which the test itself looks at and changes with `get`, `list`, `set` and `scale`. */
export interface FakeCluster extends Omit<Hand, 'settle'> {
  readonly namespaces: readonly string[];
  /** From now on it answers nothing but that status; undefined ends it. */
  refuse(status: number | undefined): void;
  /** Answers one request; the time is that of the test. */
  send(request: KubernetesRequest): Promise<{ readonly status: number; readonly text: string }>;
  setTime(now: () => number): void;
}

/** A deployment `namespace/name` of so many pods, which are there and ready. */
export function deployment(
  path: string,
  { replicas = 1, image = 'registry.example/app:1' } = {},
): FakeObject {
  const [namespace, name = ''] = path.split('/');
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image }] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { plural: 'deployments', object: { metadata: { namespace, name, labels }, spec } };
}

/**
 * A cluster of these objects: the demo's (demo/cluster/), which answers as Kubernetes does: versions, conflicts, owners of
 * fields. Its controllers and pods do at once all that they have to do, unless it is told to `hold`. The unit reaches the
 * namespaces of the objects, and `namespaces`. The pods of `absentImages` never start.
 */
export function fakeCluster(
  objects: readonly FakeObject[],
  options: { readonly namespaces?: readonly string[]; readonly absentImages?: readonly string[] } = {},
): FakeCluster {
  const found = objects.map(({ object }) => {
    return (object as { readonly metadata: { readonly namespace?: string } }).metadata.namespace;
  });
  const namespaces = [...new Set([...found, ...(options.namespaces ?? [])])].filter(
    (each) => each !== undefined,
  );
  const places = namespaces.map(
    (name) => ({ plural: 'namespaces', object: { metadata: { name } } }) as const,
  );
  const node = { plural: 'nodes', object: { metadata: { name: 'node-1' } } } as const;
  let time = () => START;
  let refusing: number | undefined;
  let held = false;
  const { app, settle, ...hand } = createCluster({
    token: TOKEN,
    seed: {
      objects: [node, ...places, ...objects].map((each) => ({ ...each, age: AGE })),
      absentImages: options.absentImages ?? [],
      speech: () => ['request {n} served'],
    },
    now: () => new Date(time()),
  });
  // Nothing happens by itself: a test depends on no time.
  hand.hold();
  const settled = (): void => {
    if (!held) settle();
  };
  return {
    ...hand,
    namespaces,
    get(plural, namespace, name) {
      settled();
      return hand.get(plural, namespace, name);
    },
    list(plural, namespace) {
      settled();
      return hand.list(plural, namespace);
    },
    hold() {
      held = true;
    },
    release() {
      held = false;
    },
    refuse(status) {
      refusing = status;
    },
    setTime(now) {
      time = now;
    },
    async send({ method, path, headers, body }) {
      if (refusing !== undefined) return { status: refusing, text: '{}' };
      settled();
      const answer = await app.inject({
        method,
        url: path,
        headers: { ...headers, authorization: `Bearer ${TOKEN}` },
        ...(body !== undefined && { payload: body }),
      });
      settled();
      return { status: answer.statusCode, text: answer.payload };
    },
  };
}
