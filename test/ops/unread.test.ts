import type { IncomingMessage, RequestListener } from 'node:http';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listQueries } from '../../operations/mysql/_running-query.ts';
import { createSecret } from '../../src/config.ts';
import type { MysqlServer } from '../../src/ops/targets/mysql-server.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

/** A server that fails here fails the test. */
const failed: MysqlServer['failed'] = (cause) => {
  throw cause;
};

const policy = `
units:
  both:
    environment: test
    kubernetes: { context: demo, namespaces: [shop, pay] }
    mysql: [shop-db, pay-db]
  pay:
    environment: test
    kubernetes: { context: demo, namespaces: [pay] }
    mysql: [pay-db]
roles:
  admin:
    members: { users: [wangwu] }
    grants: [{ operations: ['*'], units: '*', new: allowed }]
`;

let harness: OpsHarness;
let ops: Replica;
let handle: RequestListener;
beforeAll(async () => {
  harness = await openOpsHarness({ policy });
  const mysqlTargets = createSecret({ 'shop-db': harness.serverUrl, 'pay-db': 'mysql://root@127.0.0.1:1' });
  ops = await harness.startReplica({ mysqlTargets });
  handle = server().listeners('request')[0] as RequestListener;
});
afterAll(() => harness.stop());
afterEach(() => void server().removeAllListeners('request').on('request', handle));

const server = () => harness.cluster.app.server;

/** From now on these requests are answered so, whatever they ask. */
function answering(
  which: (request: IncomingMessage) => boolean,
  code: number,
  type: string,
  body: string,
): void {
  server()
    .removeAllListeners('request')
    .on('request', (request, response) => {
      if (which(request)) response.writeHead(code, { 'content-type': type }).end(body);
      else handle(request, response);
    });
}

const isOfPay = ({ url }: IncomingMessage) => url?.includes('/namespaces/pay/') ?? false;
const list = (unit: string) => ops.as('wangwu').post('k8s.deployments.list', { unit });
const json = 'application/json';

describe.each([
  ['a page', 200, 'text/html', '<html>login</html>', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['a page that calls itself JSON', 200, json, '<html>', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['nothing', 200, json, '', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['no type', 200, '', '', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['{}', 200, json, '{}', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['null', 200, json, 'null', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['[]', 200, json, '[]', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['a text', 200, json, '"ok"', '集群 demo 的地址上回答的不是 Kubernetes'],
  [
    'items that are null',
    200,
    json,
    '{"kind":"DeploymentList","items":null}',
    '集群 demo 的地址上回答的不是 Kubernetes',
  ],
  [
    'items that are no list',
    200,
    json,
    '{"kind":"DeploymentList","items":{"a":1}}',
    '集群 demo 的地址上回答的不是 Kubernetes',
  ],
  [
    'a list of another kind',
    200,
    json,
    '{"kind":"PodList","items":[]}',
    '集群 demo 的地址上回答的不是 Kubernetes',
  ],
  ['a status', 200, json, '{"kind":"Status"}', '集群 demo 的地址上回答的不是 Kubernetes'],
  ['a redirection', 302, 'text/html', '', '集群 demo 拒绝了请求（302）'],
  ['403', 403, json, '{"kind":"Status","code":403}', '集群 demo 不允许 Keypad 这样做（403）'],
  ['500', 500, 'text/html', '<html>', '集群 demo 拒绝了请求（500）'],
])('a cluster that answers %s', (_, code, type, body, sentence) => {
  test('costs its own rows, which are named, and is a failed target where there are no others', async () => {
    answering(isOfPay, code, type, body);
    const answered = await list('both');
    if (answered.state !== 'done') throw new Error(JSON.stringify(answered));
    expect(answered.unread).toEqual([`命名空间 pay：${sentence}`]);
    const [audited] = await harness.sql('select outcome, reason from audit order by seq desc limit 1');
    expect(audited).toEqual({ outcome: 'done', reason: `命名空间 pay：${sentence}` });
    expect(answered.output).toContainEqual(
      expect.objectContaining({ key: 'shop/web', label: 'shop/web  2/2 就绪' }),
    );
    expect(await list('pay')).toEqual({ state: 'failed', message: sentence });
    const settle = { unit: 'pay', namespace: 'pay', name: 'settle' };
    expect(await ops.as('wangwu').post('k8s.restart/preview', settle)).toMatchObject({ state: 'failed' });
  });
});

test('what is no deployment costs itself, and is counted', async () => {
  const good = harness.cluster.get('deployments', 'pay', 'settle');
  const items = [
    null,
    {},
    5,
    { metadata: { name: 'Not A Name' } },
    { metadata: { name: 'odd' }, spec: {} },
    good,
  ];
  answering(isOfPay, 200, json, JSON.stringify({ kind: 'DeploymentList', items }));
  expect(await list('pay')).toMatchObject({
    state: 'done',
    output: [{ key: 'pay/settle' }],
    unread: ['命名空间 pay：有 5 项看不懂'],
  });
});

test('a namespace or an instance that holds more than is listed says so', async () => {
  const items = [harness.cluster.get('deployments', 'pay', 'settle')];
  const cut = { kind: 'DeploymentList', metadata: { continue: 'more' }, items };
  answering(isOfPay, 200, json, JSON.stringify(cut));
  expect(await list('pay')).toMatchObject({ unread: ['命名空间 pay：太多，只列出前 1 项'] });

  const connection = await mysql.createConnection(harness.serverUrl);
  const slow = await mysql.createConnection(harness.serverUrl);
  slow.query('select sleep(60)').catch(() => undefined);
  const rows: MysqlServer['rows'] = async (statement) => {
    const [found] = await connection.query<RowDataPacket[]>(statement);
    // As on a busy server; this one takes not so many connections.
    return statement.includes('limit') ? Array.from({ length: 200 }, () => found[0] ?? {}) : found;
  };
  expect((await listQueries({ rows, failed })).unread).toEqual(['太多，只列出运行最久的 200 项']);
  await connection.end();
  slow.destroy();
});

test('what is no pod costs itself, and a pod with dates and counts that are none is shown', async () => {
  const isPods = ({ url }: IncomingMessage) => url?.includes('/pods') ?? false;
  const status = { phase: 'Running', containerStatuses: [{ name: 'a', restartCount: 'many', state: {} }] };
  const odd = { metadata: { name: 'odd', creationTimestamp: 'never' }, spec: {}, status };
  answering(isPods, 200, json, JSON.stringify({ kind: 'PodList', items: [null, odd] }));
  expect(
    await ops.as('wangwu').post('k8s.pods.list', { unit: 'pay', namespace: 'pay', name: 'settle' }),
  ).toMatchObject({
    state: 'done',
    output: [{ name: 'odd', phase: 'Running', age: 0 }],
    unread: ['命名空间 pay：有 1 项看不懂'],
  });
});

test('an instance that is away costs its own queries, and is named; alone it is a failed target', async () => {
  const slow = await mysql.createConnection(harness.serverUrl);
  slow.query("select sleep(60), 'unread'").catch(() => undefined);
  const answered = await until(async () => {
    const found = await ops.as('wangwu').post('mysql.processlist', { unit: 'both' });
    return found.state === 'done' && JSON.stringify(found.output).includes('unread') && found;
  });
  expect(answered.unread).toEqual(['实例 pay-db：数据库 pay-db 连不上，请稍后再试']);
  expect(await ops.as('wangwu').post('mysql.processlist', { unit: 'pay' })).toEqual({
    state: 'failed',
    message: '数据库 pay-db 连不上，请稍后再试',
  });
  const said = ops.logged.filter(({ msg }) => msg === 'an instance failed');
  expect(said).toMatchObject([
    { instance: 'pay-db', id: expect.any(String), err: { cause: expect.anything() } },
  ]);
  slow.destroy();
});

test('a write that something else than the cluster has answered is not told to have taken effect', async () => {
  const input = { unit: 'both', namespace: 'shop', name: 'web', replicas: 3 };
  const shown = await ops.as('wangwu').preview('k8s.scale', input);
  answering(({ method }) => method === 'PATCH', 200, 'text/html', '<html>login</html>');
  expect(await ops.as('wangwu').run('k8s.scale', input, shown)).toEqual({
    state: 'accepted',
    text: '没有收到确切的结果，正在确认，稍后告诉你',
  });
  server().removeAllListeners('request').on('request', handle);
  harness.clock.pass(20_000);
  await ops.sweep();
  expect((await harness.told(shown.id)).text).toContain('没有执行');
  expect(harness.cluster.get('deployments', 'shop', 'web')?.spec.replicas).toBe(2);
});
