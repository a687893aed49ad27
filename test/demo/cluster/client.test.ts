import { Writable } from 'node:stream';
import { Log, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, expect, test } from 'vitest';
import { deployment, has, isAtRest, isOf, named, refusal, startSmallCluster } from './cluster-harness.ts';

const { cluster, config, apps, core, until } = await startSmallCluster();
afterAll(() => cluster.stop());

const namespace = 'shop';
const asMerge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

test('the seed is at rest when the cluster starts, as old as it says', async () => {
  const { items } = await apps.listNamespacedDeployment({ namespace });
  const seen = items.map(({ metadata, status }) => [metadata?.name, status?.readyReplicas ?? 0]);
  expect(seen).toEqual([
    ['broken', 0],
    ['cart', 3],
    ['web', 2],
  ]);
  const age = Date.now() - (items[0]?.metadata?.creationTimestamp?.getTime() ?? 0);
  expect(Math.round(age / 3_600_000)).toBe(1);
});

test('a patch of the scale with the version that was read changes the number of pods', async () => {
  cluster.set('deployments', deployment('scaled', 2));
  await until('deployments', named('scaled'), isAtRest(2));
  const read = await apps.readNamespacedDeploymentScale({ name: 'scaled', namespace });
  expect(read.spec?.replicas).toBe(2);
  const body = { metadata: { resourceVersion: read.metadata?.resourceVersion }, spec: { replicas: 3 } };
  const written = await apps.patchNamespacedDeploymentScale(
    { name: 'scaled', namespace, body, fieldManager: 'keypad' },
    asMerge,
  );
  expect(written.spec?.replicas).toBe(3);
  await until('deployments', named('scaled'), isAtRest(3));
  const pods = await core.listNamespacedPod({ namespace, labelSelector: 'app=scaled' });
  expect(pods.items.map((pod) => pod.status?.phase)).toEqual(['Running', 'Running', 'Running']);
});

test('a patch of the scale with an older version is a conflict and changes nothing', async () => {
  cluster.set('deployments', deployment('moved', 1));
  await until('deployments', named('moved'), isAtRest(1));
  const read = await apps.readNamespacedDeploymentScale({ name: 'moved', namespace });
  cluster.scale(namespace, 'moved', 2);
  const body = { metadata: { resourceVersion: read.metadata?.resourceVersion }, spec: { replicas: 5 } };
  const patching = apps.patchNamespacedDeploymentScale({ name: 'moved', namespace, body }, asMerge);
  expect(await refusal(patching)).toBe('409 Conflict');
  expect(cluster.get('deployments', namespace, 'moved')?.spec.replicas).toBe(2);
});

test('the scale of nothing leaves the count out, as the real server does', async () => {
  cluster.set('deployments', deployment('empty', 0));
  const read = await apps.readNamespacedDeploymentScale({ name: 'empty', namespace });
  expect(read.spec).toEqual({});
});

test('a replaced object must be the one that was read', async () => {
  cluster.set('deployments', deployment('replaced', 1));
  await until('deployments', named('replaced'), isAtRest(1));
  const read = await apps.readNamespacedDeployment({ name: 'replaced', namespace });
  const body = { ...read, metadata: { ...read.metadata, annotations: { note: 'one' } } };
  const written = await apps.replaceNamespacedDeployment({ name: 'replaced', namespace, body });
  expect(written.metadata?.annotations).toMatchObject({ note: 'one' });
  expect(await refusal(apps.replaceNamespacedDeployment({ name: 'replaced', namespace, body }))).toBe(
    '409 Conflict',
  );
});

test('a new template replaces the pods one by one and keeps the promised number', async () => {
  cluster.set('deployments', deployment('rolled', 3));
  await until('deployments', named('rolled'), isAtRest(3));
  const before = await core.listNamespacedPod({ namespace, labelSelector: 'app=rolled' });
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
  const body = { spec: { template: { metadata: { annotations } } } };
  const { metadata } = await apps.patchNamespacedDeployment({ name: 'rolled', namespace, body }, asMerge);
  let fewest = 3;
  await until('deployments', named('rolled'), (seen) => {
    fewest = Math.min(fewest, seen.status?.readyReplicas ?? 0);
    return isAtRest(3)(seen) && seen.status?.observedGeneration === metadata?.generation;
  });
  expect(fewest).toBe(3);
  const after = await core.listNamespacedPod({ namespace, labelSelector: 'app=rolled' });
  const old = new Set(before.items.map((pod) => pod.metadata?.name));
  const alive = after.items.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  expect(alive.filter((pod) => old.has(pod.metadata?.name))).toEqual([]);
  const events = await core.listNamespacedEvent({
    namespace,
    fieldSelector: 'involvedObject.name=rolled,reason=ScalingReplicaSet',
  });
  expect(events.items.length).toBeGreaterThanOrEqual(6);
});

test('a deleted pod is replaced by another', async () => {
  cluster.set('deployments', deployment('lossy', 1));
  await until('deployments', named('lossy'), isAtRest(1));
  const [lost] = cluster.list('pods', namespace).filter(isOf('lossy'));
  const name = lost?.metadata.name ?? '';
  cluster.hold();
  await core.deleteNamespacedPod({ name, namespace });
  const going = await core.readNamespacedPod({ name, namespace });
  expect(going.metadata?.deletionTimestamp).toBeDefined();
  cluster.release();
  const other = await until(
    'pods',
    { labelSelector: 'app=lossy' },
    (pod) => pod.metadata.name !== name && has('Ready', 'True')(pod),
  );
  expect(other.metadata.name).toMatch(/^lossy-/);
});

test('a deleted deployment takes its ReplicaSets and pods with it', async () => {
  cluster.set('deployments', deployment('gone', 2));
  await until('deployments', named('gone'), isAtRest(2));
  const name = cluster.list('pods', namespace).find(isOf('gone'))?.metadata.name ?? '';
  let deletion: Promise<unknown> | undefined;
  await until('pods', named(name), (_, type) => {
    if (type === 'ADDED') deletion = apps.deleteNamespacedDeployment({ name: 'gone', namespace });
    return type === 'DELETED';
  });
  expect(await deletion).toMatchObject({
    status: 'Success',
    details: { name: 'gone', kind: 'deployments' },
  });
  const left = [...cluster.list('replicasets'), ...cluster.list('pods')];
  expect(left.filter(isOf('gone'))).toEqual([]);
});

test('what is there twice, not there, or not right has its own code', async () => {
  const create = (body: object) => apps.createNamespacedDeployment({ namespace, body });
  expect(await refusal(create(deployment('web', 1)))).toBe('409 AlreadyExists');
  expect(await refusal(create(deployment('Bad Name', 1)))).toBe('422 Invalid');
  expect(await refusal(create(deployment('negative', -1)))).toBe('422 Invalid');
  expect(await refusal(apps.readNamespacedDeployment({ name: 'nothing', namespace }))).toBe('404 NotFound');
  const elsewhere = { ...deployment('web', 1), metadata: { name: 'web' } };
  const nowhere = apps.createNamespacedDeployment({ namespace: 'nowhere', body: elsewhere });
  expect(await refusal(nowhere)).toBe('404 NotFound');
});

test('a pod tells what it does, and one that never started says why not', async () => {
  const name = cluster.list('pods').find(isOf('web'))?.metadata.name ?? '';
  const text = await core.readNamespacedPodLog({ name, namespace, tailLines: 3 });
  expect(text.trimEnd().split('\n')).toHaveLength(3);
  expect(text).toMatch(/^\S+Z INFO request \d+ served\n/);
  expect(await core.readNamespacedPodLog({ name, namespace, limitBytes: 10 })).toHaveLength(10);
  const recent = await core.readNamespacedPodLog({ name, namespace, sinceSeconds: 12 });
  expect([2, 3]).toContain(recent.trimEnd().split('\n').length);
  const broken = cluster.list('pods').find(isOf('broken'));
  const reading = core.readNamespacedPodLog({ name: broken?.metadata.name ?? '', namespace });
  expect(await refusal(reading)).toBe('400 BadRequest');
});

test('a followed log goes on until the pod is gone', async () => {
  cluster.set('deployments', deployment('chatty', 1));
  await until('deployments', named('chatty'), isAtRest(1));
  const pod = cluster.list('pods', namespace).find(isOf('chatty'));
  const name = pod?.metadata.name ?? '';
  let text = '';
  const begun = Promise.withResolvers<void>();
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      begun.resolve();
      done();
    },
  });
  const ended = new Promise((resolve) => stream.once('close', resolve));
  await new Log(config).log(namespace, name, 'chatty', stream, { follow: true });
  await begun.promise;
  expect(text).toContain('starting shop/chatty:1');
  await core.deleteNamespacedPod({ name, namespace, body: { gracePeriodSeconds: 0 } });
  await ended;
});

test('a rehearsal answers what would be and leaves everything as it is', async () => {
  cluster.set('deployments', deployment('rehearsed', 1));
  await until('deployments', named('rehearsed'), isAtRest(1));
  const before = cluster.get('deployments', namespace, 'rehearsed');
  const body = { spec: { replicas: 4 } };
  const write = { name: 'rehearsed', namespace, body, dryRun: 'All' };
  expect((await apps.patchNamespacedDeploymentScale(write, asMerge)).spec?.replicas).toBe(4);
  await apps.deleteNamespacedDeployment({ name: 'rehearsed', namespace, dryRun: 'All' });
  expect(cluster.get('deployments', namespace, 'rehearsed')).toEqual(before);
  const unknown = apps.patchNamespacedDeploymentScale({ ...write, dryRun: 'Some' }, asMerge);
  expect(await refusal(unknown)).toBe('422 Invalid');
});

test('while the cluster is held, writes are kept and nothing follows from them', async () => {
  cluster.set('deployments', deployment('held', 1));
  await until('deployments', named('held'), isAtRest(1));
  cluster.hold();
  const body = { spec: { replicas: 2 } };
  const written = await apps.patchNamespacedDeployment({ name: 'held', namespace, body }, asMerge);
  const { generation = 0 } = written.metadata ?? {};
  expect(written.status?.observedGeneration).toBe(generation - 1);
  cluster.release();
  await until('deployments', named('held'), isAtRest(2));
});

test('pods wait while the only node is cordoned', async () => {
  const cordon = (unschedulable: boolean) =>
    core.patchNode({ name: 'node-1', body: { spec: { unschedulable } } }, asMerge);
  await cordon(true);
  cluster.set('deployments', deployment('waiting', 1));
  await until('deployments', named('waiting'), (seen) => seen.status?.replicas === 1);
  const pod = cluster.list('pods', namespace).find(isOf('waiting'));
  await until('pods', named(pod?.metadata.name ?? ''), has('PodScheduled', 'False'));
  await cordon(false);
  await until('deployments', named('waiting'), isAtRest(1));
});

test('a count that nothing can hold fills the quota, and the cluster goes on', async () => {
  cluster.set('deployments', deployment('huge', 1_000_000));
  const seen = await until('deployments', named('huge'), ({ status }) => (status?.replicas ?? 0) > 0);
  expect(seen.status?.replicas).toBeLessThan(500);
  const fieldSelector = 'reason=FailedCreate';
  const { items } = await core.listNamespacedEvent({ namespace, fieldSelector });
  expect(items[0]?.message).toContain('exceeded quota');
  cluster.scale(namespace, 'huge', 0);
  await until('deployments', named('huge'), isAtRest(0));
});

test('a deployment whose pods could have no name stands still, and the others do not', async () => {
  const long = 'n'.repeat(250);
  const body = { ...deployment('long', 1), metadata: { name: long } };
  await apps.createNamespacedDeployment({ namespace, body });
  cluster.set('deployments', deployment('short', 1));
  await until('deployments', named('short'), isAtRest(1));
  const { items } = await core.listNamespacedEvent({
    namespace,
    fieldSelector: `involvedObject.name=${long}`,
  });
  expect(items[0]?.message).toContain('metadata.name');
  await apps.deleteNamespacedDeployment({ name: long, namespace });
});
