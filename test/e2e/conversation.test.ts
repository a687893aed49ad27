import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDemo, type TestDemo } from '../helpers/demo.ts';

const namespace = 'shop';
let demo: TestDemo;
let apps: AppsV1Api;
beforeAll(async () => {
  demo = await startTestDemo();
  const config = new KubeConfig();
  config.loadFromString(demo.cluster.kubeconfig);
  apps = config.makeApiClient(AppsV1Api);
});
afterAll(() => demo.stop());

/** A user who has just opened the chat, and what they type then. */
const begin = (user: string, ...lines: readonly string[]) => demo.say(user, '#', '你好', ...lines);
const replicasOf = (name: string) => demo.cluster.get('deployments', namespace, name)?.spec?.replicas;
const codeIn = (screen: string): string => /确认码 (\d{4})/.exec(screen)?.[1] ?? 'no code';
const wrong = (code: string): string => (code === '0000' ? '0001' : '0000');

test('a number after a number leads from the first screen to 2 → 3 in the cluster', async () => {
  expect(await begin('zhangsan')).toContain('1 电商\n2 支付');
  expect(await demo.say('zhangsan', '1')).toContain('1 Kubernetes\n2 MySQL');
  expect(await demo.say('zhangsan', '1')).toContain('2 扩缩容');
  expect(await demo.say('zhangsan', '2', 'n')).toMatch(/13 web +2\/2 就绪/);
  expect(await demo.say('zhangsan', '13', '3')).toContain('副本 2 → 3');
  expect(await demo.say('zhangsan', '1')).toContain('web：2 → 3，3 个就绪');
  const { spec, status } = await apps.readNamespacedDeployment({ namespace, name: 'web' });
  expect([spec?.replicas, status?.readyReplicas]).toEqual([3, 3]);
});

const isInstalled = hasKubectl();
const where = isInstalled ? '' : ' (skipped: kubectl is not installed)';
test.skipIf(!isInstalled)(`kubectl sees what was scaled from the phone${where}`, async () => {
  expect(await begin('zhangsan', '1-1-2', 'member', '3', '1')).toContain('member：2 → 3');
  const file = ['--cache-dir', join(demo.directory, 'cache')];
  const get = ['-n', namespace, 'get', 'deployment', 'member', '-o', 'jsonpath={.spec.replicas}'];
  const env = { PATH: process.env.PATH, HOME: demo.directory, KUBECONFIG: demo.env.KUBECONFIG };
  expect((await promisify(execFile)('kubectl', [...file, ...get], { env })).stdout).toBe('3');
});

test('1-1-2 jumps to the question, a longer one to the preview, and none beyond that', async () => {
  expect(await begin('zhangsan', '1-1-2')).toContain('电商 › Kubernetes › 扩缩容\n请选择部署');
  expect(await begin('zhangsan', '1-1-2-catalog-4')).toContain('副本 3 → 4');
  expect(await begin('zhangsan', '1-1-2-catalog-4-1')).toContain('跳转到预览为止');
  expect(replicasOf('catalog')).toBe(3);
});

test('scaling to nothing needs the code that was shown, and a wrong one does nothing', async () => {
  const screen = await begin('zhangsan', '1-1-2', 'search', '00');
  expect(screen).toContain('副本 3 → 0');
  const code = codeIn(screen);
  expect(await demo.say('zhangsan', '1')).toContain('确认码不对，没有执行');
  expect(await demo.say('zhangsan', wrong(code))).toContain('确认码不对，没有执行');
  expect(replicasOf('search')).toBe(3);
  expect(await demo.say('zhangsan', code)).toContain('search：3 → 0，已全部停止');
  expect(replicasOf('search')).toBe(0);
});

test('a deployment under an autoscaler says so before anyone confirms', async () => {
  expect(await begin('zhangsan', '1-1-2', 'api-gateway', '5')).toContain('由 HPA api-gateway 控制（2–10）');
});

test('a digit means what was shown: never the deployment that moved up in its place', async () => {
  const list = await begin('wangwu', '1-1-2');
  expect(list).toMatch(/4 comment .*\n5 coupon .*\n6 image-proxy /);
  await apps.deleteNamespacedDeployment({ namespace, name: 'comment' });
  expect(await demo.say('wangwu', '5')).toContain('扩缩容 › coupon\n副本数');
});

test('a digit whose deployment is gone, or renamed, chooses nothing and shows the fresh list', async () => {
  const list = await begin('wangwu', '1-1-2');
  const [, digit = ''] = /^(\d+) inventory /m.exec(list) ?? [];
  const { metadata, spec } = await apps.readNamespacedDeployment({ namespace, name: 'inventory' });
  await apps.deleteNamespacedDeployment({ namespace, name: 'inventory' });
  const body = { metadata: { name: 'inventory-2', labels: metadata?.labels ?? {} }, spec: spec ?? never() };
  await apps.createNamespacedDeployment({ namespace, body });
  const answer = await demo.say('wangwu', digit);
  expect(answer).toContain('已不在列表中，没有执行任何操作');
  expect(answer).toMatch(new RegExp(`^${digit} inventory-2 `, 'm'));
});

test('a session that ran out is a new conversation: its next digit chooses nothing', async () => {
  await begin('zhangsan', '1-1-2', 'push-worker', '00');
  const redis = new Redis(demo.env.REDIS_URL ?? '');
  const keys = ['path', 'state'].map((part) => `keypad:{${demo.env.WECOM_AGENT_ID}:zhangsan}:${part}`);
  // A second of life left, and then none: as if 600 s had passed.
  for (const key of keys) expect(await redis.pexpire(key, 1)).toBe(1);
  await expect.poll(() => redis.exists(...keys)).toBe(0);
  redis.disconnect();
  expect(await demo.say('zhangsan', '1')).toMatch(/^请选择事业部\n1 电商/);
  expect(replicasOf('push-worker')).toBe(1);
});

test('a slow query that is killed from the phone is gone from the database', async () => {
  const shop = JSON.parse(demo.env.OPS_MYSQL_TARGETS ?? '')['shop-db'] as string;
  const connection = await mysql.createConnection(shop);
  const slow = async () => {
    const sql = "select ID from information_schema.PROCESSLIST where INFO like 'SELECT /* 商品月报 */%'";
    const [rows] = await connection.query(sql);
    return (rows as { ID: number }[]).map(({ ID }) => `${ID}`);
  };
  const [id = 'none'] = await slow();
  const screen = await begin('zhangsan', '1-2-2', '1');
  expect(screen).toContain(`终止连接 ${id} 正在运行的查询`);
  expect(await demo.say('zhangsan', codeIn(screen))).toContain(`连接 ${id} 的查询不再运行`);
  expect(await slow()).not.toContain(id);
  await connection.end();
});

test('a developer sees one unit and no way to scale, not even by a jump', async () => {
  expect(await begin('lisi')).not.toContain('支付');
  const menu = await demo.say('lisi', '1', '1');
  expect(menu).toContain('3 重启部署');
  expect(menu).not.toContain('扩缩容');
  expect(await demo.say('lisi', '2')).toContain('没有选项 2');
  expect(await begin('lisi', '1-1-2-cart-1')).toContain('跳转的第 3 步不行');
  expect(replicasOf('cart')).toBe(3);
});

test('who has no role reads one sentence, whatever they type', async () => {
  for (const line of ['你好', '1', '1-1-2', '?']) {
    expect(await demo.say('mallory', line)).toBe('你还没有任何运维权限，请联系运维负责人开通。');
  }
});

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function never(): never {
  throw new Error('a deployment without a spec');
}

test('a report asks for what its schema wants, and answers lines', async () => {
  expect(await begin('zhangsan', '1-3-6')).toMatch(/哪种订单\n1 已付款\n2 待付款\n3 已退款/);
  expect(await demo.say('zhangsan', '1')).toContain('最近几天（1–30）');
  expect(await demo.say('zhangsan', '30')).toMatch(/订单统计.*\n单数 120，金额 \d+\.\d\d\n/);
});

test('a Job is confirmed by a number, listed while it runs, and its end is told with what it wrote', async () => {
  expect(await begin('zhangsan', '1-3-3', '2026-11', '2')).toContain('运行任务 keypad-demo/report:1\n');
  const reply = await demo.say('zhangsan', '1');
  if (!reply.includes('任务已完成')) {
    await expect.poll(() => demo.pushed('zhangsan').join('\n')).toMatch(/任务已完成[\s\S]*报表 2026-11/);
  }
});
