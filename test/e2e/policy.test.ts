import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCaches, startCaches } from '../../demo/caches.ts';
import { createSecret } from '../../src/config.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { makeKeyPair, readVerifyingKeys } from '../../src/contract/keys.ts';
import { startBot, type TestBot } from '../helpers/bot.ts';
import { type Row, rowsOf, tableOf } from '../helpers/golden-table.ts';
import { catalogue } from '../helpers/operations.ts';
import { loadMenu } from '../helpers/phone.ts';
import { CACHE_TOKEN, type OpsHarness, openOpsHarness, type Replica, until } from '../ops/ops-harness.ts';

/**
 * Who may do what under deploy/policy.yaml. For each user and entry:
 *
 *   L  the entry is shown in its list
 *   D  typing its digits opens it
 *   J  a jump path opens it
 *   C  the platform runs it: asked directly with a valid token, past the bot, a change previewed and confirmed
 *   -  not so. A menu, and an entry that needs no right, asks nothing of the platform and has no C.
 */
const golden = [
  `
      zhangsan  lisi      wangwu    mallory   电商
1     LDJ       LDJ       LDJ       ---       Kubernetes
1-1   LDJC      LDJC      LDJC      ----      查看部署
1-2   LDJC      ----      LDJC      ----      扩缩容
1-3   LDJC      LDJC      LDJC      ----      重启部署
1-4   LDJC      LDJC      LDJC      ----      Pod 列表
2     LDJ       LDJ       LDJ       ---       MySQL
2-1   LDJC      LDJC      LDJC      ----      当前连接
2-2   LDJC      ----      LDJC      ----      终止查询
2-3   LDJC      ----      LDJC      ----      库大小
3     LDJ       ---       LDJ       ---       应用
3-1   LDJC      ----      LDJC      ----      缓存列表
3-2   LDJC      ----      LDJC      ----      清空缓存
3-3   LDJC      ----      LDJC      ----      生成报表
3-4   LDJC      ----      LDJC      ----      运行中的任务
3-5   LDJC      ----      LDJC      ----      取消任务
3-6   LDJC      ----      LDJC      ----      订单统计
4     LDJ       ---       LDJ       ---       主机
4-1   LDJC      ----      LDJC      ----      磁盘
4-2   LDJC      ----      LDJC      ----      轮换日志
9     LDJ       LDJ       LDJ       ---       帮助`,
  `
      zhangsan  lisi      wangwu    mallory   支付
1     LDJ       ---       LDJ       ---       Kubernetes
1-1   LDJC      ----      LDJC      ----      查看部署
1-2   LDJC      ----      LDJC      ----      扩缩容
1-3   LDJC      ----      LDJC      ----      重启部署
1-4   LDJC      ----      LDJC      ----      Pod 列表
2     LDJ       ---       LDJ       ---       MySQL
2-1   LDJC      ----      LDJC      ----      当前连接
2-2   LDJC      ----      LDJC      ----      终止查询
2-3   LDJC      ----      LDJC      ----      库大小
3     LDJ       ---       LDJ       ---       应用
3-1   ----      ----      ----      ----      缓存列表
3-2   ----      ----      ----      ----      清空缓存
3-3   LDJC      ----      LDJC      ----      生成报表
3-4   LDJC      ----      LDJC      ----      运行中的任务
3-5   LDJC      ----      LDJC      ----      取消任务
3-6   LDJC      ----      LDJC      ----      订单统计
4     LDJ       ---       LDJ       ---       主机
4-1   LDJC      ----      LDJC      ----      磁盘
4-2   LDJC      ----      LDJC      ----      轮换日志
9     LDJ       ---       LDJ       ---       帮助`,
].map((table) => table.slice(1));

const users = ['zhangsan', 'lisi', 'wangwu', 'mallory'];

/** A unit, its number for those who see all of them, and a deployment for each user to work on. */
const units = [
  { unit: '电商', number: '1', namespace: 'shop', instance: 'shop-db', names: ['cart', 'member', 'order'] },
  {
    unit: '支付',
    number: '2',
    namespace: 'pay',
    instance: 'pay-db',
    names: ['payment-core', 'settle', 'risk-engine'],
  },
] as const;
type Unit = (typeof units)[number];

let caches: RunningCaches;
let harness: OpsHarness;
/** Two replicas of the platform, with one database and one policy file: for whoever asks directly, and for the bot. */
let direct: Replica;
let behind: Replica;
let phone: TestBot;

beforeAll(async () => {
  caches = await startCaches({ port: 0, token: CACHE_TOKEN });
  const policy = readFileSync('deploy/policy.yaml', 'utf8').replace('http://127.0.0.1:8084', caches.url);
  harness = await openOpsHarness({ policy });
  await harness.sql('create table orders (state varchar(16), cents int, days_ago int)');
  const mysqlTargets = createSecret({ 'shop-db': harness.mysqlUrl, 'pay-db': harness.mysqlUrl });
  direct = await harness.startReplica({ mysqlTargets });
  const { signingKey, verifyingKeys } = await makeKeyPair();
  behind = await harness.startReplica({ mysqlTargets, verifyingKeys: readVerifyingKeys(verifyingKeys) });
  phone = await startBot({
    OPS_URL: await behind.app.listen({ host: '127.0.0.1', port: 0 }),
    OPS_SIGNING_KEY: JSON.stringify(signingKey),
  });
});
afterAll(async () => {
  await phone?.stop();
  await harness?.stop();
  await caches?.stop();
});

async function say(user: string, ...lines: readonly string[]): Promise<string> {
  let reply = '';
  for (const line of lines) {
    const outcome = await phone.wecom.say(user, line);
    if (outcome.reply === null) throw new Error(`${user} said ${line} and got ${JSON.stringify(outcome)}`);
    reply = outcome.reply;
  }
  return reply;
}

/** Whether a screen is the one that these titles lead to; a refused step shows why in its first line instead. */
const isAt = (reply: string, titles: readonly string[]): boolean => reply.startsWith(titles.join(' › '));

async function cellOf(user: string, of: Unit, { digits, titles, operation }: Row): Promise<string> {
  const crumbs = [of.unit, ...titles];
  const typed = [of.number, ...digits.map(String)];
  const list = await say(user, '#', '你好', ...typed.slice(0, -1));
  const isListed = list.split('\n').includes(`${digits.at(-1)} ${titles.at(-1)}`);
  return [
    isAt(list, crumbs.slice(0, -1)) && isListed ? 'L' : '-',
    isAt(await say(user, typed.at(-1) ?? ''), crumbs) ? 'D' : '-',
    isAt(await say(user, '#', typed.join('-')), crumbs) ? 'J' : '-',
    operation === undefined ? '' : await runCell(user, of, operation),
  ].join('');
}

/** `C` when the platform runs it, `-` when it refuses every request by its policy, and what it said if neither. */
async function runCell(user: string, of: Unit, operation: string): Promise<string> {
  const input = await inputOf(user, of, operation);
  const isRead = catalogue.find(operation)?.kind === 'read';
  const answers = await until(async () => {
    const answered = isRead
      ? [await direct.as(user).post(operation, input)]
      : await changeDirectly(user, operation, input);
    // Another user runs what may run once at a time.
    const isBusy = answered.some((answer) => answer.state === 'refused' && answer.reason === 'busy');
    return !isBusy && answered;
  });
  if (answers.every((answer) => answer.state === 'refused' && answer.reason === 'policy')) return '-';
  return /^(done|accepted)$/.test(answers.at(-1)?.state ?? '') ? 'C' : JSON.stringify(answers);
}

/** Asks for a preview and confirms it; without a preview, confirms one that never was. */
async function changeDirectly(user: string, name: string, input: object): Promise<readonly Answer[]> {
  const client = direct.as(user);
  const shown = await client.post(`${name}/preview`, input);
  const preview = shown.state === 'preview' ? shown.preview : { id: randomUUID(), hash: 'none' };
  if (name === 'app.report') jobs.set(`${user} ${JSON.stringify(input)}`, `keypad-${preview.id}`);
  return [
    shown,
    await client.run(
      name as 'k8s.scale',
      input as never,
      preview,
      'code' in preview ? preview.code : undefined,
    ),
  ];
}

async function inputOf(user: string, of: Unit, operation: string): Promise<object> {
  const { unit, namespace, instance, names } = of;
  const name = names[users.indexOf(user)] ?? names[0];
  if (operation === 'k8s.scale') return { unit, namespace, name, replicas: 5 };
  if (operation === 'app.cache.flush') {
    // One each: what another user has emptied meanwhile has moved.
    return { unit, cache: ['goods', 'price', 'page-home'][users.indexOf(user)] ?? 'goods' };
  }
  if (operation === 'mysql.kill') return { unit, instance, ...(await queryOf(user, of)) };
  if (operation === 'host.rotate') return { unit, name: 'web', keep: 2, seconds: 0 };
  if (operation === 'app.orders') return { unit, state: 'paid', days: 7 };
  const report = { unit, month: '2026-11', seconds: 30 };
  if (operation === 'app.report') return report;
  if (operation === 'k8s.jobs.cancel') {
    return { unit, namespace, name: jobs.get(`${user} ${JSON.stringify(report)}`) ?? 'none' };
  }
  return operation.startsWith('k8s.') && !/\b(deployments|jobs)\.list$/.test(operation)
    ? { unit, namespace, name }
    : { unit };
}

/** The Job of each report that was asked for: who cancels one has made it, so that nobody else has cancelled it. */
const jobs = new Map<string, string>();

const mark = (user: string, { unit }: Unit): string => `golden ${user} ${unit}`;

/** The running query that a user is to kill; the lead, who may see everything, looks it up. */
async function queryOf(user: string, of: Unit): Promise<{ readonly id: string; readonly query: string }> {
  const running = await direct.as('wangwu').read('mysql.processlist', { unit: of.unit });
  const found = running.find(({ sql }) => sql.includes(mark(user, of)));
  if (found === undefined) throw new Error(`no query runs for ${user}`);
  return { id: found.id, query: found.query };
}

/** Keeps a query running for each user and unit, as long as `work` takes. */
async function withQueries(work: () => Promise<void>): Promise<void> {
  const pairs = users.flatMap((user) => units.map((unit) => mark(user, unit)));
  const connections = await Promise.all(pairs.map(() => mysql.createConnection(harness.serverUrl)));
  const ended = connections.map((connection, index) =>
    connection.query(`select sleep(600) /* ${pairs[index]} */`).catch(() => undefined),
  );
  try {
    await work();
  } finally {
    for (const connection of connections) connection.destroy();
    await Promise.all(ended);
  }
}

describe('the policy of the demo', () => {
  test('gives each user what the golden table says, in lists, by digits, by jumps, and past the bot', async () => {
    const rows = rowsOf(await loadMenu('menus'));
    await withQueries(async () => {
      const cells = await Promise.all(
        users.map(async (user) => {
          const column: string[] = [];
          for (const unit of units) for (const row of rows) column.push(await cellOf(user, unit, row));
          return column;
        }),
      );
      const tables = units.map(({ unit }, at) => {
        const lines = rows.map((row, index) => {
          return { row, cells: cells.map((column) => column[at * rows.length + index] ?? '') };
        });
        return tableOf(unit, users, lines);
      });
      expect(tables.join('\n\n')).toBe(golden.join('\n\n'));
    });
  }, 120_000);

  test('knows nobody whom another user’s receipt or settlement concerns', async () => {
    const input = { unit: '电商', namespace: 'shop', name: 'coupon', replicas: 3 };
    const shown = await direct.as('zhangsan').preview('k8s.scale', input);
    expect(await direct.as('lisi').post('operation.settle', { id: shown.id })).toMatchObject({
      output: { state: 'never' },
    });
    expect(await direct.as('lisi').post('operation.received', { ids: [shown.id] })).toMatchObject({
      state: 'done',
    });
    expect(await direct.as('zhangsan').post('operation.settle', { id: shown.id })).toMatchObject({
      output: { state: 'never', text: expect.stringContaining('coupon') },
    });
  });
});

describe('a right that is taken away between preview and confirmation', () => {
  const replicasOf = (name: string) => harness.cluster.get('deployments', 'shop', name)?.spec.replicas;
  const edit = async (from: string, to: string): Promise<void> => {
    const text = readFileSync(harness.policyFile, 'utf8');
    expect(text).toContain(from);
    writeFileSync(harness.policyFile, text.replace(from, to));
    await Promise.all([direct.reload(), behind.reload()]);
  };

  test('is gone: nothing happens, on the phone and past it, and the refusal is in the audit', async () => {
    const onPhone = await say('zhangsan', '#', '1-1-2-web-3');
    expect(onPhone).toContain('副本 2 → 3');
    const input = { unit: '电商', namespace: 'shop', name: 'search', replicas: 4 };
    const shown = await direct.as('zhangsan').preview('k8s.scale', input);

    await edit('users: [zhangsan]', 'users: [somebody.else]');
    // The platform says it, or the bot, which hears of a changed policy within a second.
    expect(await say('zhangsan', '1')).toMatch(/你没有权限在「电商」执行：扩缩容|你还没有任何运维权限/);
    expect(await direct.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({
      state: 'refused',
      reason: 'policy',
    });
    expect([replicasOf('web'), replicasOf('search')]).toEqual([2, 3]);
    const denied = await harness.sql(
      `select user, operation, outcome from audit where operation = 'k8s.scale' and user = 'zhangsan' order by seq desc limit 1`,
    );
    const row = { user: 'zhangsan', operation: 'k8s.scale', outcome: 'denied' };
    expect(denied).toEqual([row]);

    await edit('users: [somebody.else]', 'users: [zhangsan]');
    expect(await say('zhangsan', '#', '1-1-2-web-3', '1')).toContain('web：2 → 3，3 个就绪');
    expect(replicasOf('web')).toBe(3);
  });
});
