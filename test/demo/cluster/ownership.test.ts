import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, expect, test } from 'vitest';
import { deployment, isAtRest, named, startSmallCluster } from './cluster-harness.ts';

const { cluster, apps, until } = await startSmallCluster();
afterAll(() => cluster.stop());

const namespace = 'shop';
const asMerge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** Who owns the count of pods, as `manager` or `manager/subresource`. */
function ownersOfReplicas(name: string): readonly string[] {
  const entries = cluster.get('deployments', namespace, name)?.metadata.managedFields ?? [];
  const owning = entries.filter(({ fieldsV1 }) => {
    const spec = fieldsV1['f:spec'] as Record<string, unknown> | undefined;
    return spec?.['f:replicas'] !== undefined;
  });
  return owning.map(({ manager, subresource }) => [manager, subresource].filter(Boolean).join('/'));
}

function scale(name: string, replicas: number, fieldManager?: string): Promise<unknown> {
  const write = { name, namespace, body: { spec: { replicas } } };
  return apps.patchNamespacedDeploymentScale(fieldManager ? { ...write, fieldManager } : write, asMerge);
}

test('whoever scales through the subresource owns the count, and the one before no longer does', async () => {
  cluster.set('deployments', deployment('owned', 2));
  await until('deployments', named('owned'), isAtRest(2));
  expect(ownersOfReplicas('owned')).toEqual(['hand']);
  await scale('owned', 3, 'keypad-1');
  expect(ownersOfReplicas('owned')).toEqual(['keypad-1/scale']);
  const entries = cluster.get('deployments', namespace, 'owned')?.metadata.managedFields;
  expect(entries?.find((entry) => entry.manager === 'keypad-1')).toEqual({
    manager: 'keypad-1',
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    subresource: 'scale',
  });
  await scale('owned', 1, 'keypad-2');
  expect(ownersOfReplicas('owned')).toEqual(['keypad-2/scale']);
  const managers = cluster.get('deployments', namespace, 'owned')?.metadata.managedFields;
  expect(managers?.map((entry) => entry.manager)).not.toContain('keypad-1');
  cluster.scale(namespace, 'owned', 4);
  expect(ownersOfReplicas('owned')).toEqual(['hand']);
});

test('a write that changes nothing is none: no version, no generation, no owner', async () => {
  cluster.set('deployments', deployment('same', 2));
  await until('deployments', named('same'), isAtRest(2));
  const before = cluster.get('deployments', namespace, 'same');
  await scale('same', 2, 'keypad');
  expect(cluster.get('deployments', namespace, 'same')).toBe(before);
});

test('a writer without a name is called by its program', async () => {
  cluster.set('deployments', deployment('unnamed', 1));
  await scale('unnamed', 2);
  expect(ownersOfReplicas('unnamed')).toEqual([expect.stringMatching(/^[\w-]+\/scale$/)]);
});

test('a restart owns the annotation it wrote in the template, and nothing else', async () => {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
  const body = { spec: { template: { metadata: { annotations } } } };
  const write = { name: 'web', namespace, body, fieldManager: 'keypad-restart' };
  const { metadata } = await apps.patchNamespacedDeployment(write, asMerge);
  const entry = metadata?.managedFields?.find((each) => each.manager === 'keypad-restart');
  const template = { 'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/restartedAt': {} } } };
  expect(entry?.fieldsV1).toEqual({ 'f:spec': { 'f:template': template } });
});

test('the generation counts what is asked for, not what became of it', async () => {
  cluster.set('deployments', deployment('counted', 1));
  const generation = () => cluster.get('deployments', namespace, 'counted')?.metadata.generation;
  expect(generation()).toBe(1);
  await until('deployments', named('counted'), isAtRest(1));
  expect(generation()).toBe(1);
  await scale('counted', 2);
  await until('deployments', named('counted'), isAtRest(2));
  expect(generation()).toBe(2);
  const labels = { app: 'counted', team: 'x' };
  await apps.patchNamespacedDeployment(
    { name: 'counted', namespace, body: { metadata: { labels } } },
    asMerge,
  );
  expect(generation()).toBe(2);
});

test('a list that is a map is owned item by item', async () => {
  const containers = [{ name: 'cart', image: 'shop/cart:2' }];
  const body = { spec: { template: { spec: { containers } } } };
  const write = { name: 'cart', namespace, body, fieldManager: 'deployer' };
  const { metadata } = await apps.patchNamespacedDeployment(write, asMerge);
  const entry = metadata?.managedFields?.find((each) => each.manager === 'deployer');
  const item = { 'k:{"name":"cart"}': { 'f:image': {} } };
  expect(entry?.fieldsV1).toEqual({ 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': item } } } });
});
