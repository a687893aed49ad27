import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { Watch } from '@kubernetes/client-node';
import { afterAll, expect, test } from 'vitest';
import { createStore } from '../../../demo/cluster/store.ts';
import { startSmallCluster, token } from './cluster-harness.ts';

const { cluster, config } = await startSmallCluster();
afterAll(() => cluster.stop());

const path = '/api/v1/namespaces';

interface Line {
  readonly type: string;
  readonly object: { readonly metadata?: { readonly name?: string }; readonly code?: number };
}

/** Watches until `enough` says so, or until the server ends it. */
async function watched(
  query: Record<string, string | number>,
  enough: (lines: readonly Line[]) => boolean,
  begun: () => void = () => undefined,
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const see = (type: string, object: Line['object']): void => {
    lines.push({ type, object });
    if (lines.length === 1) begun();
    if (enough(lines)) resolve();
  };
  const done = (error: unknown): void => (error === null ? resolve() : reject(error));
  const watching = await new Watch(config).watch(path, query, see, done);
  await promise;
  watching.abort();
  return lines;
}

function words(lines: readonly Line[]): readonly string[] {
  return lines.map(({ type, object }) => `${type} ${object.metadata?.name}`);
}

test('a watch from a version tells what came after it', async () => {
  const before = cluster.set('namespaces', { metadata: { name: 'first' } });
  cluster.set('namespaces', { metadata: { name: 'second' } });
  cluster.set('namespaces', { metadata: { name: 'second', labels: { a: 'b' } } });
  const { resourceVersion } = before.metadata;
  const lines = await watched({ resourceVersion }, (seen) => seen.length === 2);
  expect(words(lines)).toEqual(['ADDED second', 'MODIFIED second']);
});

test('an object that comes to match is added, and one that no longer does is deleted', async () => {
  cluster.set('namespaces', { metadata: { name: 'staying', labels: { team: 'x' } } });
  const change = (): void => {
    cluster.set('namespaces', { metadata: { name: 'passing', labels: { team: 'y' } } });
    cluster.set('namespaces', { metadata: { name: 'passing', labels: { team: 'x' } } });
    cluster.set('namespaces', { metadata: { name: 'passing', labels: { team: 'y' } } });
  };
  const lines = await watched({ labelSelector: 'team=x' }, (seen) => seen.length === 3, change);
  expect(words(lines)).toEqual(['ADDED staying', 'ADDED passing', 'DELETED passing']);
});

test.each([
  ['forgotten', 5],
  ['not yet reached', 10 ** 12],
])('a version that is %s is answered with 410 in an event', async (_, resourceVersion) => {
  const [line] = await watched({ resourceVersion }, () => false);
  expect(line).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
});

test('a watch ends when its time is over', async () => {
  const lines = await watched({ timeoutSeconds: 1, fieldSelector: 'metadata.name=shop' }, () => false);
  expect(words(lines)).toEqual(['ADDED shop']);
});

test('a watcher that stops reading is dropped before it fills the memory', async () => {
  const options = { ca: cluster.cert, headers: { authorization: `Bearer ${token}` } };
  const request = get(`${cluster.url}/api/v1/namespaces?watch=1`, options);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  const annotations = { big: 'x'.repeat(500_000) };
  for (let n = 0; n < 40; n += 1) {
    cluster.set('namespaces', { metadata: { name: 'noisy', annotations: { ...annotations, n: `${n}` } } });
  }
  response.resume();
  await expect(once(response, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('a store that has forgotten a change says so instead of leaving it out', () => {
  const store = createStore({ first: 100, remembered: 2 });
  const metadata = { uid: 'u', resourceVersion: '', creationTimestamp: '' };
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    store.put('namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata, name },
      status: { phase: 'Active' },
    });
  }
  expect(store.version()).toBe(105);
  const known = [100, 101, 102, 103, 104].map((version) =>
    store.since(version)?.map((change) => change.version),
  );
  expect(known).toEqual([undefined, undefined, undefined, [104, 105], [105]]);
});
