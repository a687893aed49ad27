import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
});
afterAll(() => harness.stop());

const inShop = (name: string) => ({ unit: '电商', namespace: 'shop', name });
const found = (name: string) => {
  const deployment = harness.cluster.get('deployments', 'shop', name);
  if (deployment === undefined) throw new Error(`no ${name}`);
  return deployment;
};
const pause = (name: string, paused: boolean) => {
  const deployment = found(name);
  harness.cluster.set('deployments', { ...deployment, spec: { ...deployment.spec, paused } });
};

/** What its user is told of a change that another replica has made two minutes ago. */
async function toldAfterTwoMinutes(id: string): Promise<string> {
  const now = harness.clock.now();
  await harness.sql(
    "update operations set state = 'applied', started_at = ?, lease_owner = ?, lease_until = ? where id = ?",
    [now - 130_000, randomUUID(), now - 10_000, id],
  );
  await harness.reseal(id);
  await ops.sweep();
  return (await harness.told(id)).text;
}

describe('a restart', () => {
  test('of a paused deployment is refused before anybody confirms it', async () => {
    pause('web', true);
    expect(await ops.as('zhangsan').post('k8s.restart/preview', inShop('web'))).toMatchObject({
      state: 'refused',
      reason: 'input',
      message: expect.stringContaining('暂停'),
    });
    pause('web', false);
  });

  test('that was paused after its preview is refused, and nothing has happened', async () => {
    const shown = await ops.as('zhangsan').preview('k8s.restart', inShop('web'));
    pause('web', true);
    const { template } = found('web').spec;
    expect(await ops.as('zhangsan').run('k8s.restart', inShop('web'), shown, shown.code)).toMatchObject({
      state: 'refused',
      reason: 'moved',
    });
    expect(found('web').spec.template).toEqual(template);
    pause('web', false);
  });

  test('that was paused when it had begun is never told to have renewed what it has not', async () => {
    const { id } = await ops.as('zhangsan').preview('k8s.restart', inShop('cart'));
    pause('cart', true);
    const cart = found('cart');
    const annotations = { 'keypad/operation': id };
    const template = { ...cart.spec.template, metadata: { ...cart.spec.template.metadata, annotations } };
    harness.cluster.set('deployments', { ...cart, spec: { ...cart.spec, template } });
    await until(async () => found('cart').status.observedGeneration === found('cart').metadata.generation);
    const text = await toldAfterTwoMinutes(id);
    expect(text).toBe('cart：重启还没有完成（已更新 0/3，就绪 3）；发布被暂停了（paused），Pod 不会更新');
  });

  test('whose deployment was scaled to nothing afterwards renewed nothing', async () => {
    const { id } = await ops.as('zhangsan').preview('k8s.restart', inShop('order'));
    const order = found('order');
    const annotations = { 'keypad/operation': id };
    const template = { ...order.spec.template, metadata: { ...order.spec.template.metadata, annotations } };
    harness.cluster.set('deployments', { ...order, spec: { ...order.spec, template, replicas: 0 } });
    expect(await toldAfterTwoMinutes(id)).toBe('order：重启已提交，但之后副本数被改为 0');
  });
});

describe('what its cluster says of a deployment that gets no further', () => {
  test.each([
    [
      'a rollout past its deadline',
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'has timed out' },
      '注意：发布卡住了（ProgressDeadlineExceeded：has timed out）',
    ],
    [
      'pods that are not made',
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: `quota ${'x'.repeat(300)}` },
      `注意：集群建不出新的 Pod（FailedCreate：quota ${'x'.repeat(141)}）`,
    ],
  ])('is quoted in previews: %s', async (_, condition, line) => {
    harness.cluster.hold();
    const deployment = found('catalog');
    const status = { ...deployment.status, conditions: [condition] };
    harness.cluster.set('deployments', { ...deployment, status });
    const more = { ...inShop('catalog'), replicas: deployment.spec.replicas + 1 };
    expect((await ops.as('zhangsan').preview('k8s.scale', more)).lines).toContain(line);
    expect((await ops.as('zhangsan').preview('k8s.restart', inShop('catalog'))).lines).toContain(line);
    const fewer = { ...inShop('catalog'), replicas: 1 };
    expect((await ops.as('zhangsan').preview('k8s.scale', fewer)).lines).not.toContain(line);
    harness.cluster.release();
  });

  test.each([
    ['pods', { pods: '30' }, { pods: '27' }, ['pods 上限 30，已用 27）只够再加 3 个']],
    ['enough pods', { pods: '30' }, { pods: '26' }, []],
    ['cpu', { 'requests.cpu': '2' }, { 'requests.cpu': '1700m' }, ['只够再加 3 个']],
    ['cpu, all of which is used', { cpu: '2' }, { cpu: '2500m' }, ['只够再加 0 个']],
    ['enough cpu', { cpu: '2' }, { cpu: '1.6' }, []],
    ['memory', { 'limits.memory': '4Gi' }, { 'limits.memory': '3Gi' }, ['只够再加 2 个']],
    ['two of them', { pods: '5', 'limits.memory': '1Gi' }, { pods: '5' }, ['再加 0 个', '再加 2 个']],
    ['what is not known here', { services: '1', 'limits.cpu': '1', pods: 'many' }, { services: '1' }, []],
  ])('a quota that leaves too little room is said before: %s', async (_, hard, used, said) => {
    const server = harness.cluster.app.server;
    const [handle] = server.listeners('request') as RequestListener[];
    const items = [
      { metadata: { name: 'team' }, spec: { hard }, status: { hard, used } },
      {
        metadata: { name: 'best-effort' },
        spec: { scopes: ['BestEffort'] },
        status: { hard: { pods: '0' } },
      },
    ];
    server.removeAllListeners('request').on('request', (request, response) => {
      if (!request.url?.includes('/resourcequotas')) return handle?.(request, response);
      const list = JSON.stringify({ kind: 'ResourceQuotaList', items });
      return response.writeHead(200, { 'content-type': 'application/json' }).end(list);
    });
    const gateway = found('image-proxy');
    const resources = { requests: { cpu: '100m' }, limits: { memory: '512Mi' } };
    const containers = gateway.spec.template.spec.containers.map((each) => ({ ...each, resources }));
    const template = { ...gateway.spec.template, spec: { ...gateway.spec.template.spec, containers } };
    harness.cluster.set('deployments', { ...gateway, spec: { ...gateway.spec, template } });
    const input = { ...inShop('image-proxy'), replicas: gateway.spec.replicas + 4 };
    const { lines } = await ops.as('zhangsan').preview('k8s.scale', input);
    const quotas = lines.filter((line) => line.includes('配额'));
    expect(quotas).toEqual(said.map((words) => expect.stringContaining(words)));
    const fewer = await ops.as('zhangsan').preview('k8s.scale', { ...input, replicas: 1 });
    expect(fewer.lines.join()).not.toContain('配额');
    server.removeAllListeners('request').on('request', handle as RequestListener);
  });

  test('is told with the outcome: a quota that leaves no room for more pods', async () => {
    const { id } = await ops.as('zhangsan').preview('k8s.scale', { ...inShop('recommend'), replicas: 40 });
    harness.cluster.hold();
    harness.cluster.scale('shop', 'recommend', 40);
    const recommend = found('recommend');
    const message = 'pods "recommend-x" is forbidden: exceeded quota: pods, limited: pods=30';
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message };
    harness.cluster.set('deployments', {
      ...recommend,
      status: { ...recommend.status, conditions: [failure] },
    });
    expect(await toldAfterTwoMinutes(id)).toBe(
      `recommend：2 → 40 已提交，但只有 2 个就绪；集群建不出新的 Pod（FailedCreate：${message}）`,
    );
    harness.cluster.release();
  });
});
