import type { V1JobSpec } from '@kubernetes/client-node';
import { afterAll, expect, test } from 'vitest';
import { has, named, refusal, type Seen, startSmallCluster } from './cluster-harness.ts';

let moment = new Date('2026-11-27T08:00:00Z');
const { cluster, core, batch, until } = await startSmallCluster(() => moment);
afterAll(() => cluster.stop());

const namespace = 'shop';

/** Lets that many seconds pass, and wakes the cluster, whose timers run on the real clock. */
function pass(seconds: number): void {
  moment = new Date(moment.getTime() + seconds * 1000);
  cluster.hold();
  cluster.release();
}

interface Wanted {
  readonly env?: Readonly<Record<string, string>>;
  readonly spec?: Partial<V1JobSpec>;
  readonly container?: object;
  readonly pod?: object;
}

function job(name: string, { env = {}, spec = {}, container = {}, pod = {} }: Wanted = {}) {
  const variables = Object.entries(env).map(([variable, value]) => ({ name: variable, value }));
  const report = { name: 'report', image: 'keypad-demo/report:1', env: variables, ...container };
  const template = { spec: { restartPolicy: 'Never', containers: [report], ...pod } };
  return { namespace, body: { metadata: { name }, spec: { backoffLimit: 0, template, ...spec } } };
}

const ofJob = (name: string) => ({ labelSelector: `batch.kubernetes.io/job-name=${name}` });
const podsOf = (name: string) =>
  cluster.list('pods', namespace).filter(({ metadata }) => metadata.labels?.['job-name'] === name);
const phaseIs = (phase: string) => (pod: Seen) => pod.status?.phase === phase;
const logOf = (name: string, more: object = {}) =>
  core.readNamespacedPodLog({ name: podsOf(name)[0]?.metadata.name ?? '', namespace, ...more });

/** Does something once the pod of a Job is watched, and waits until the pod is gone. */
async function untilRemoved(name: string, act: () => unknown): Promise<void> {
  let acting: unknown;
  await until('pods', ofJob(name), (_, type) => {
    if (type === 'ADDED') acting = act();
    return type === 'DELETED';
  });
  await acting;
}

/** Makes a Job and answers it as it is at its end. */
async function run(name: string, wanted?: Wanted) {
  await batch.createNamespacedJob(job(name, wanted));
  const isOver = (seen: Seen) => has('Complete', 'True')(seen) || has('Failed', 'True')(seen);
  await until('jobs', named(name), isOver);
  return batch.readNamespacedJob({ name, namespace });
}

test('a suspended Job runs nothing, and holds its name', async () => {
  await batch.createNamespacedJob(job('held', { spec: { suspend: true } }));
  const held = await until('jobs', named('held'), has('Suspended', 'True'));
  expect(held.status).not.toHaveProperty('startTime');
  expect(podsOf('held')).toEqual([]);
  expect(await refusal(batch.createNamespacedJob(job('held')))).toBe('409 AlreadyExists');
});

test('a Job runs one pod to its end, and says so as the real controller does', async () => {
  const done = await run('plain', { env: { REGION: '华东' } });
  expect(done.status).toMatchObject({ succeeded: 1, ready: 0, completionTime: moment });
  expect(done.status?.active).toBeUndefined();
  expect(done.status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'SuccessCriteriaMet CompletionsReached',
    'Complete CompletionsReached',
  ]);
  const { uid } = done.metadata ?? {};
  expect(done.spec).toMatchObject({
    completions: 1,
    parallelism: 1,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
  });
  const { items } = await core.listNamespacedPod({ namespace, ...ofJob('plain') });
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^plain-\w{5}$/),
      labels: { 'job-name': 'plain', 'controller-uid': uid },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'plain', uid, controller: true }],
    },
    status: {
      phase: 'Succeeded',
      containerStatuses: [{ state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
    },
  });
});

test('its pod waits, runs and ends, in this order', async () => {
  const phases: string[] = [];
  const watching = until('pods', ofJob('watched'), (pod) => {
    if (phases.at(-1) !== pod.status?.phase) phases.push(`${pod.status?.phase}`);
    return phaseIs('Succeeded')(pod);
  });
  await run('watched');
  await watching;
  expect(phases).toEqual(['Pending', 'Running', 'Succeeded']);
});

test('SECONDS is how long it takes, and its lines come one by one', async () => {
  await batch.createNamespacedJob(job('slow', { env: { SECONDS: '10' } }));
  await until('pods', ofJob('slow'), has('Ready', 'True'));
  expect((await batch.readNamespacedJob({ name: 'slow', namespace })).status?.active).toBe(1);
  expect(await logOf('slow')).toMatch(/^report begins in slow-\w+\n$/);
  pass(9);
  expect(await logOf('slow')).toMatch(/\nSECONDS=10\n$/);
  expect(podsOf('slow')[0]?.status.phase).toBe('Running');
  pass(1);
  await until('jobs', named('slow'), has('Complete', 'True'));
  expect(await logOf('slow')).toMatch(/\nreport is complete\n$/);
});

test('the log has the environment as it was given, but for variables that it names', async () => {
  const odd = `'"$(id)\n../%2e 中文 $$(A)`;
  await run('odd', { env: { A: 'a', ODD: odd, B: '$(A)b' }, container: { args: ['$(B)', '$(C)'] } });
  const text = await logOf('odd');
  expect(text).toContain(`\nA=a\nODD='"$(id)\n../%2e 中文 $(A)\nB=ab\nab\n$(C)\n`);
  expect(await logOf('odd', { tailLines: 2 })).toBe('$(C)\nreport is complete\n');
  expect(await logOf('odd', { limitBytes: 6 })).toBe('report');
  expect(await logOf('odd', { timestamps: true, tailLines: 1 })).toMatch(/^\S+Z report is complete\n$/);
});

test('LINES makes a long log', async () => {
  await run('long', { env: { LINES: '200000' } });
  expect((await logOf('long')).length).toBeGreaterThan(200_000 * 64);
});

test('FAIL ends it with exit code 1, and the Job fails when its limit is 0', async () => {
  const failed = await run('failing', { env: { FAIL: '1' } });
  expect(failed.status).toMatchObject({ failed: 1 });
  expect(failed.status?.succeeded).toBeUndefined();
  expect(failed.status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'FailureTarget BackoffLimitExceeded',
    'Failed BackoffLimitExceeded',
  ]);
  const [pod] = podsOf('failing');
  expect(pod?.status.phase).toBe('Failed');
  expect(pod?.status.containerStatuses?.[0]?.state.terminated).toMatchObject({
    exitCode: 1,
    reason: 'Error',
  });
});

test('another pod is tried 10 s after the first failure, and 20 s after the second', async () => {
  const failing = job('stubborn', { env: { FAIL: '1' }, spec: { backoffLimit: 2 } });
  await batch.createNamespacedJob(failing);
  for (const [failures, pause] of [
    [1, 10],
    [2, 20],
  ] as const) {
    await until('jobs', named('stubborn'), ({ status }) => status?.failed === failures);
    pass(pause - 1);
    await run(`between-${failures}`);
    expect(podsOf('stubborn')).toHaveLength(failures);
    pass(1);
  }
  await until('jobs', named('stubborn'), has('Failed', 'True'));
  expect(podsOf('stubborn')).toHaveLength(3);
});

test('a Job that takes too long loses its pod and has failed', async () => {
  await batch.createNamespacedJob(
    job('late', { env: { SECONDS: '30' }, spec: { activeDeadlineSeconds: 5 } }),
  );
  await until('pods', ofJob('late'), has('Ready', 'True'));
  pass(4);
  expect((await batch.readNamespacedJob({ name: 'late', namespace })).status?.conditions).toBeUndefined();
  await untilRemoved('late', () => pass(1));
  await until('jobs', named('late'), has('Failed', 'True'));
  const { status } = await batch.readNamespacedJob({ name: 'late', namespace });
  expect(status?.conditions?.map(({ reason }) => reason)).toEqual(['DeadlineExceeded', 'DeadlineExceeded']);
});

test('a Job is removed with its pods when its time after the end is over', async () => {
  await run('kept', { spec: { ttlSecondsAfterFinished: 60 } });
  pass(59);
  expect(podsOf('kept')).toHaveLength(1);
  await untilRemoved('kept', () => pass(1));
  expect(await refusal(batch.readNamespacedJob({ name: 'kept', namespace }))).toBe('404 NotFound');
});

test('a pod that was deleted under a Job counts as failed', async () => {
  await batch.createNamespacedJob(job('robbed', { env: { SECONDS: '30' } }));
  await until('pods', ofJob('robbed'), has('Ready', 'True'));
  const name = podsOf('robbed')[0]?.metadata.name ?? '';
  await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
  await until('jobs', named('robbed'), has('Failed', 'True'));
  expect(podsOf('robbed')).toEqual([]);
});

test('a deletion takes the pods along only when it says so', async () => {
  await batch.createNamespacedJob(job('cancelled', { env: { SECONDS: '30' } }));
  await until('pods', ofJob('cancelled'), has('Ready', 'True'));
  await untilRemoved('cancelled', () =>
    batch.deleteNamespacedJob({ name: 'cancelled', namespace, propagationPolicy: 'Background' }),
  );

  await run('orphaned');
  await batch.deleteNamespacedJob({ name: 'orphaned', namespace });
  await run('after-the-garbage-was-collected');
  expect(podsOf('orphaned')).toHaveLength(1);
  expect(podsOf('orphaned')[0]?.metadata.ownerReferences).toEqual([]);
  const odd = { name: 'after-the-garbage-was-collected', namespace, propagationPolicy: 'Odd' };
  expect(await refusal(batch.deleteNamespacedJob(odd))).toBe('422 Invalid');
});

test('an image that this cluster does not play is never pulled', async () => {
  await batch.createNamespacedJob(job('foreign', { container: { image: 'busybox' } }));
  const isWaiting = () =>
    podsOf('foreign')[0]?.status.containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff';
  await until('pods', ofJob('foreign'), isWaiting);
  expect((await batch.readNamespacedJob({ name: 'foreign', namespace })).status?.active).toBe(1);
  expect(await refusal(logOf('foreign'))).toBe('400 BadRequest');
});

test.each<[what: string, wanted: Wanted, exitCode: number, says: string]>([
  ['a command that the image does not have', { container: { command: ['sh'] } }, 128, ''],
  ['more seconds than there may be', { env: { SECONDS: '31' } }, 2, 'SECONDS must be a whole number'],
  ['seconds that are no number', { env: { SECONDS: '1e1' } }, 2, 'SECONDS must be a whole number'],
])('%s end it at once', async (what, wanted, exitCode, says) => {
  const name = what.replaceAll(' ', '-');
  await run(name, wanted);
  expect(podsOf(name)[0]?.status.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(exitCode);
  expect(await logOf(name)).toContain(says);
});

test.each<[what: string, name: string, wanted: Wanted]>([
  ['a pod that is restarted', 'a', { pod: { restartPolicy: 'OnFailure' } }],
  ['a pod without a policy', 'a', { pod: { restartPolicy: undefined } }],
  ['several pods', 'a', { spec: { parallelism: 2 } }],
  ['a selector of its own', 'a', { spec: { selector: { matchLabels: { app: 'a' } } } }],
  ['init containers', 'a', { pod: { initContainers: [{ name: 'i', image: 'i' }] } }],
  ['a name that is no label', 'a'.repeat(64), {}],
])('%s is refused', async (_, name, wanted) => {
  expect(await refusal(batch.createNamespacedJob(job(name, wanted)))).toBe('422 Invalid');
  expect(cluster.get('jobs', namespace, name)).toBeUndefined();
});

test('a name that is taken is refused, whatever became of the Job, and its template stays as it is', async () => {
  await run('once');
  expect(await refusal(batch.createNamespacedJob(job('once')))).toBe('409 AlreadyExists');
  expect(podsOf('once')).toHaveLength(1);
  const read = await batch.readNamespacedJob({ name: 'once', namespace });
  const { template: before } = read.spec ?? {};
  const containers = [{ name: 'report', image: 'keypad-demo/report:2' }];
  const template = { ...before, spec: { ...before?.spec, containers } };
  const body = { ...read, spec: { ...read.spec, template } };
  expect(await refusal(batch.replaceNamespacedJob({ name: 'once', namespace, body }))).toBe('422 Invalid');
});
