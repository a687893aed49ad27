import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let harness: OpsHarness;
let proxy: TcpProxy;
let ops: Replica;
/** Nobody listens there. */
const NOWHERE = 1;
const input = { unit: '电商', namespace: 'shop', name: 'web', replicas: 3 };
const clusterPort = () => Number(new URL(harness.cluster.url).port);

beforeAll(async () => {
  harness = await openOpsHarness();
  proxy = await startTcpProxy(clusterPort());
  const kubeconfig = `${harness.directory}/through-proxy`;
  const direct = readFileSync(`${harness.directory}/kubeconfig`, 'utf8');
  writeFileSync(kubeconfig, direct.replaceAll(harness.cluster.url, `https://127.0.0.1:${proxy.port}`));
  ops = await harness.startReplica({ kubeconfig });
});
afterAll(async () => {
  await harness.stop();
  await proxy.stop();
});
beforeEach(async () => {
  harness.cluster.scale('shop', 'web', 2);
  await until(async () => harness.cluster.get('deployments', 'shop', 'web')?.status.readyReplicas === 2);
});

/** A scale to 3 that another replica left when it died, with its effect or without. */
async function abandoned(state: 'started' | 'applied'): Promise<string> {
  const { id } = await ops.as('wangwu').preview('k8s.scale', input);
  await harness.abandon(id, state);
  if (state === 'applied') harness.cluster.scale('shop', 'web', 3);
  proxy.leadTo(NOWHERE);
  proxy.cut();
  return id;
}

const rowOf = async (id: string) => {
  const [row] = await harness.sql('select state, lease_until from operations where id = ?', [id]);
  return { state: row?.state, next: Number(row?.lease_until) - harness.clock.now() };
};
/** What its user has read of it, in order. */
const toldOf = (id: string) =>
  harness.push.attempts.filter(({ idempotencyKey }) => idempotencyKey.includes(id)).map(({ text }) => text);

/** So much time passes, and the replica looks once; it answers after how long it is going to look again. */
async function later(id: string, milliseconds: number): Promise<number> {
  harness.clock.pass(milliseconds);
  const before = harness.clock.now();
  await ops.sweep();
  const next = await until(async () => {
    const row = await rowOf(id);
    return (row.next + harness.clock.now() > before + 15_000 + 1000 || row.state === 'unknown') && row.next;
  });
  await ops.sweep();
  return next;
}

describe.each([
  ['applied', '已提交', 'web：2 → 3，3 个就绪'],
  ['started', '不知道有没有执行', '扩缩容 shop/web：没有执行，平台中断过，请重新操作'],
] as const)('an operation that is %s and whose cluster is away', (state, known, end) => {
  test('is followed at growing intervals, its user hears so once, and the truth when it can be seen', async () => {
    const id = await abandoned(state);
    const first = await later(id, 2.5 * MINUTE);
    const second = await later(id, first + 3000);
    const third = await later(id, second + 3000);
    expect([first, second, third].map((each) => Math.round(each / MINUTE / 2.5))).toEqual([1, 2, 4]);
    expect(await later(id, 5 * HOUR)).toBeLessThanOrEqual(HOUR);
    const open = `shop/web：${known}，现在看不到实际状态。会一直查下去，查到后告诉你，请不要重复操作`;
    expect(toldOf(id)).toEqual([open]);
    expect(await ops.as('wangwu').acknowledge('operation.settle', { id })).toMatchObject({
      state: 'pending',
    });

    proxy.leadTo(clusterPort());
    harness.clock.pass(HOUR + 3000);
    await ops.sweep();
    await harness.told(id);
    expect(toldOf(id)).toEqual([open, end]);
  });

  test('is told as unknown after a day', async () => {
    const id = await abandoned(state);
    await later(id, 3 * MINUTE);
    harness.clock.pass(24 * HOUR);
    await ops.sweep();
    expect(await harness.told(id)).toMatchObject({
      text: expect.stringContaining('一天里一直看不到实际状态'),
    });
    expect(await rowOf(id)).toMatchObject({ state: 'unknown' });
    proxy.leadTo(clusterPort());
  });
});

test('a short outage is nothing that anybody is told of', async () => {
  const id = await abandoned('started');
  expect(await later(id, 20_000)).toBeGreaterThan(15_000);
  proxy.leadTo(clusterPort());
  harness.clock.pass(30_000);
  await ops.sweep();
  await harness.told(id);
  expect(toldOf(id)).toHaveLength(1);
});
