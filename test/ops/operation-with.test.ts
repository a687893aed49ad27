import { expect, test } from 'vitest';
import * as z from 'zod';
import {
  deployment,
  type FakeRequest,
  fakeCluster,
  fakeHttp,
  fakeMysql,
  operationWith,
} from '#test/operation.ts';
import { change, Refused, unit } from '../../src/ops/operations/index.ts';

const web = { namespace: 'shop', name: 'web' };

async function scale() {
  const cluster = fakeCluster([deployment('shop/web', { replicas: 2 })]);
  const op = await operationWith('operations/k8s/scale.ts', { cluster });
  const replicas = () => cluster.get('deployments', 'shop', 'web')?.spec.replicas;
  return { op, cluster, replicas };
}

test('k8s.scale: a conversation from its preview to its end', async () => {
  const { op, replicas } = await scale();
  expect(await op.preview({ ...web, replicas: 3 })).toContain('副本 2 → 3');
  expect(op.shown()).toMatchObject({ risk: 'low' });
  expect(replicas()).toBe(2);
  expect(await op.confirm()).toBe('web：2 → 3，3 个就绪');
  expect(replicas()).toBe(3);
  expect(op.told()).toContain('3 个就绪');
  expect(op.audit()).toEqual(['previewed', 'allowed', 'done: web：2 → 3，3 个就绪']);
  expect(await op.confirm()).toContain('已经确认过');
  expect(replicas()).toBe(3);
});

test('k8s.scale: what takes longer is said to be under way, and its end is told later', async () => {
  const { op, cluster } = await scale();
  await op.preview({ ...web, replicas: 3 });
  cluster.hold();
  expect(await op.confirm()).toBe('已提交：web 副本 2 → 3，等待就绪，完成后会告诉你');
  cluster.release();
  expect(await op.wait(1000)).toBe('web：2 → 3，3 个就绪');
});

test('k8s.scale: nothing happens to a deployment that has moved, and what is true now may be confirmed', async () => {
  const { op, cluster, replicas } = await scale();
  await op.preview({ ...web, replicas: 3 });
  cluster.scale('shop', 'web', 5);
  expect(await op.confirm()).toBe('web 刚刚被改动过，没有执行\n电商 · shop/web\n副本 5 → 3\n当前就绪 5/5');
  expect(replicas()).toBe(5);
  expect(await op.confirm()).toBe('web：5 → 3，3 个就绪');
});

test('k8s.scale: a code that is demanded, a wrong input and an old preview are the engine’s own', async () => {
  const { op, replicas } = await scale();
  await op.preview({ ...web, replicas: 0 });
  expect(op.shown()).toMatchObject({ risk: 'high', code: expect.stringMatching(/^\d{4}$/) });
  expect(await op.confirm('wrong')).toContain('验证码不对');
  await op.wait(120_000);
  expect(await op.confirm()).toContain('预览已过期');
  expect(await op.preview({ ...web, replicas: 'all' })).toMatch(/^输入不符合平台现在的要求，没有执行/);
  expect(replicas()).toBe(2);
});

test('k8s.scale: killed after the effect, its user hears the truth', async () => {
  const { op, replicas } = await scale();
  await op.preview({ ...web, replicas: 3 });
  op.crash('after');
  expect(await op.confirm()).toBe('');
  expect(replicas()).toBe(3);
  expect(await op.reconcile()).toBe('web：2 → 3，3 个就绪');
});

test('k8s.scale: killed before the effect, its user hears that nothing happened, and it never comes', async () => {
  const { op, replicas } = await scale();
  await op.preview({ ...web, replicas: 3 });
  op.crash('before');
  expect(await op.confirm()).toBe('');
  expect(await op.reconcile()).toBe('扩缩容 shop/web：没有执行，平台中断过，请重新操作');
  await op.arrive();
  expect(replicas()).toBe(2);
});

test('k8s.scale: while the cluster is away nobody guesses; the truth comes when it is back', async () => {
  const { op, cluster } = await scale();
  await op.preview({ ...web, replicas: 3 });
  op.crash('after');
  await op.confirm();
  cluster.refuse(503);
  expect(await op.reconcile()).toBe('');
  cluster.refuse(undefined);
  expect(await op.wait(60_000)).toBe('web：2 → 3，3 个就绪');
});

/** A server that runs one query, which a kill ends. */
function database(query = 'select sleep(60)') {
  const running = new Map([['7', { id: 7, user: 'report', db: 'shop', seconds: 40, run: 5, text: query }]]);
  const mysql = fakeMysql({
    'shop-db': (statement, [id]) => {
      if (statement.startsWith('select version()')) return [{ version: '11.8-MariaDB' }];
      if (statement.includes('as until')) return [{ until: 1 }];
      if (statement.startsWith('kill query id')) running.delete('7');
      return [...running.values()].filter((each) => id === undefined || `${each.id}` === id);
    },
  });
  return { mysql, running };
}

const query = { instance: 'shop-db', id: '7', query: 'q:5' };

test('mysql.kill: says what it ends, and ends it', async () => {
  const { mysql, running } = database("select 1 /* password='S3cret' */");
  const op = await operationWith('operations/mysql/kill.ts', { mysql });
  const shown = await op.preview(query);
  expect(shown).toContain('用户 report，库 shop，已运行 40 秒');
  expect(shown).not.toContain('S3cret');
  expect(await op.confirm()).toBe('已终止：shop-db 连接 7 的查询不再运行');
  expect(running.size).toBe(0);
  expect(await op.preview(query)).toBe('这个查询已经结束，不用终止');
});

test('mysql.kill: after a crash it says what it cannot know', async () => {
  const { mysql } = database();
  const op = await operationWith('operations/mysql/kill.ts', { mysql });
  await op.preview(query);
  op.crash('after');
  await op.confirm();
  expect(await op.reconcile()).toContain('无法确认是被终止的，还是自己结束的');
});

test('mysql.kill: an instance that the unit does not reach is refused', async () => {
  const op = await operationWith('operations/mysql/kill.ts', database());
  expect(await op.preview({ ...query, instance: 'pay-db' })).toBe('「电商」够不到数据库 pay-db');
});

test('a read answers what menus get, in the form that it declares', async () => {
  const cluster = fakeCluster([deployment('shop/web', { replicas: 2 }), deployment('pay/settle')]);
  const op = await operationWith('operations/k8s/deployments/list.ts', { cluster });
  expect(await op.read({})).toMatchObject([
    { key: 'pay/settle', ready: 1 },
    { key: 'shop/web', label: 'shop/web  2/2 就绪' },
  ]);
  cluster.refuse(403);
  await expect(op.read({})).rejects.toThrow('集群 test 不允许 Keypad 这样做（403）');
});

test('what is declared in YAML is tested by its file too', async () => {
  const mysql = fakeMysql({ 'shop-db': () => [{ 库: 'shop' }] });
  const op = await operationWith('operations/mysql/sizes.yaml', { mysql });
  expect(await op.read({})).toEqual(['库 shop']);
});

/** The effect is one request to a service; what the test says of `checkTime` and of the answer is done. */
const flush = (options: { readonly asks: boolean }) =>
  change({
    title: '清空缓存',
    input: z.strictObject({ unit }),
    services: ['cache'],
    inspect: async (_context, { unit }) => ({ target: unit, lines: ['清空'], version: '1' }),
    async apply(context, { input }, checkTime) {
      if (options.asks) checkTime();
      await context.http(input.unit, 'cache').send({ method: 'POST', path: '/flush', timeoutMs: 1000 });
    },
  });

test('a module is tested without a file; a service that gives no answer leaves it open', async () => {
  let flushes = 0;
  const http = fakeHttp({
    cache() {
      flushes += 1;
      throw new Error('the answer is lost');
    },
  });
  const op = await operationWith(flush({ asks: true }) as never, { http });
  await op.preview({});
  expect(await op.confirm()).toBe('没有收到确切的结果，正在确认，稍后告诉你');
  expect(await op.reconcile()).toBe(
    '清空缓存 电商：结果不明，平台中断过；平台看不到它有没有生效，请自行确认',
  );
  expect(flushes).toBe(1);
});

test('an effect that never asks checkTime is a mistake that its test shows', async () => {
  const op = await operationWith(flush({ asks: false }) as never, { http: fakeHttp({ cache: () => 204 }) });
  await op.preview({});
  await expect(op.confirm()).rejects.toThrow('call it right before the effect');
});

test('a bug of the operation is thrown, and its answer to a person is none', async () => {
  const odd = change({
    title: '坏',
    input: z.strictObject({ unit }),
    async inspect() {
      throw new TypeError('a bug');
    },
    async apply() {
      throw new Refused('moved', 'x');
    },
  });
  const op = await operationWith(odd as never);
  await expect(op.preview({})).rejects.toThrow('a bug');
});

test('what a schema made of what was typed need not be what it takes, also after a crash', async () => {
  const op = await operationWith(
    change({
      title: '通知',
      input: z.strictObject({ unit, who: z.string().transform((text) => text.split(',')) }),
      inspect: async (_context, { who }) => ({ target: who.join('、'), lines: who, risk: 'low' }),
      apply: async (_context, _change, checkTime) => checkTime(),
      reconcile: async (_context, { input }) => ({
        effect: 'unknown',
        text: `通知过 ${input.who.length} 人`,
      }),
    }),
  );
  await op.preview({ who: 'a,b' });
  op.crash('after');
  await op.confirm();
  expect(await op.reconcile()).toBe('通知 a、b：结果不明，平台中断过；通知过 2 人，请自行确认');
});

test('an input of another version is refused in plain words; what is wrong with it stands in the audit', async () => {
  const count = z.int().max(5).meta({ title: '份数' });
  const op = await operationWith({
    ...flush({ asks: true }),
    input: z.strictObject({ unit, count }),
  } as never);
  const said = await op.preview({ count: 9 });
  expect(said).toBe(
    '「份数」不符合平台现在的要求，没有执行。平台可能刚更新过，请从头再选一次；还是这样请告诉运维负责人',
  );
  expect(op.audit()).toEqual([`denied: input: count Too big: expected number to be <=5；${said}`]);
  expect(await op.preview({ count: 1, more: true })).toMatch(/^输入不符合平台现在的要求/);
});

test('app.cache.flush: with its secrets, once, and after a crash by what the service says', async () => {
  const sent: FakeRequest[] = [];
  const http = fakeHttp({
    caches(request) {
      sent.push(request);
      if (request.method === 'GET') return { status: 200, json: { entries: 3 } };
      const isClosed = request.path.endsWith('/close');
      return { status: 200, json: isClosed ? { closed: true, applied: false } : { flushed: 3 } };
    },
  });
  const surroundings = { http, secrets: { CACHE_TOKEN: 'S3cret' } };
  const op = await operationWith('operations/app/cache/flush.yaml', surroundings);
  expect(await op.preview({ cache: 'goods' })).toContain('条目 3 → 0');
  expect(await op.confirm()).toContain('已清空，3 条');
  expect(sent.map(({ headers }) => headers.authorization)).toContain('Bearer S3cret');
  expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(1);
  await op.preview({ cache: 'price' });
  op.crash('before');
  await op.confirm();
  expect(await op.reconcile()).toContain('没有执行');
  expect(op.told()).not.toContain('S3cret');
});
