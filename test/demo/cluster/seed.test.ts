import { afterAll, expect, test } from 'vitest';
import { createCluster } from '../../../demo/cluster/cluster.ts';
import { demoSeed } from '../../../demo/cluster/seed.ts';

const cluster = createCluster({ token: 'seed-token', seed: demoSeed });
cluster.hold();
afterAll(() => cluster.stop());

test('the demo begins with what the tour shows', () => {
  const sizes = cluster.list('deployments').map(({ metadata, spec, status }) => {
    return [`${metadata.namespace}/${metadata.name}`, [status.readyReplicas ?? 0, spec.replicas]] as const;
  });
  expect(Object.fromEntries(sizes)).toMatchObject({
    'shop/web': [2, 2],
    'shop/cart': [3, 3],
    'shop/api-gateway': [4, 4],
    'shop/coupon': [0, 2],
    'pay/payment-core': [3, 3],
    'pay/settle': [1, 1],
    'pay/risk-engine': [2, 2],
  });
  expect(sizes.filter(([name]) => name.startsWith('shop/')).length).toBeGreaterThan(12);
  const { minReplicas, maxReplicas, scaleTargetRef } =
    cluster.get('horizontalpodautoscalers', 'shop', 'api-gateway')?.spec ?? {};
  expect([scaleTargetRef?.name, minReplicas, maxReplicas]).toEqual(['api-gateway', 2, 10]);
});

test('an autoscaler can be added by hand', () => {
  cluster.addAutoscaler('shop', 'web', { min: 1, max: 5 });
  const autoscaler = cluster.get('horizontalpodautoscalers', 'shop', 'web');
  expect(autoscaler?.spec).toMatchObject({ scaleTargetRef: { name: 'web' }, minReplicas: 1, maxReplicas: 5 });
});

test('versions begin with the clock, so that none from before a restart fits', () => {
  const start = new Date('2026-01-01T00:00:00Z');
  const young = createCluster({ token: 't', seed: { ...demoSeed, objects: [] }, now: () => start });
  const { metadata } = young.set('namespaces', { metadata: { name: 'first' } });
  expect(Number(metadata.resourceVersion)).toBe(start.getTime() / 1000 + 1);
  return young.stop();
});
