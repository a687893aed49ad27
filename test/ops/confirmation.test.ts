import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/contract/answer.ts';
import { type OpsHarness, openOpsHarness, type Replica } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
  other = await harness.startReplica();
});
afterAll(() => harness.stop());

const shop = { unit: '电商', namespace: 'shop' };
const replicasOf = (name: string) => harness.cluster.get('deployments', 'shop', name)?.spec.replicas;
const versionOf = (name: string) => harness.cluster.get('deployments', 'shop', name)?.metadata.generation;

describe('a preview', () => {
  test('is confirmed once, whatever many replicas are told at the same time', async () => {
    const input = { ...shop, name: 'cart', replicas: 4 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    const before = versionOf('cart') ?? 0;
    const confirm = (replica: Replica) => replica.as('zhangsan').run('k8s.scale', input, shown);
    const answers = await Promise.all([ops, other, ops, other, ops, other].map(confirm));
    expect(answers.filter(({ state }) => state === 'done')).toHaveLength(1);
    expect(answers.filter((each) => each.state === 'refused' && each.reason === 'used')).toHaveLength(5);
    expect(replicasOf('cart')).toBe(4);
    expect(versionOf('cart')).toBe(before + 1);
  });

  test('expires after two minutes', async () => {
    const input = { ...shop, name: 'order', replicas: 5 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    harness.clock.pass(120_000);
    const late = await ops.as('zhangsan').run('k8s.scale', input, shown);
    expect(late).toMatchObject({ state: 'refused', reason: 'expired' });
    expect(replicasOf('order')).toBe(4);
  });

  test('is its own user’s only', async () => {
    const input = { ...shop, name: 'order', replicas: 5 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    expect(await ops.as('wangwu').run('k8s.scale', input, shown)).toMatchObject({
      state: 'refused',
      reason: 'policy',
    });
    expect(replicasOf('order')).toBe(4);
    expect(await ops.as('ZhangSan').run('k8s.scale', input, shown)).toMatchObject({ state: 'done' });
  });

  const spoiled: readonly (readonly [string, (ops: Replica) => Promise<Answer>])[] = [
    [
      'another input',
      async (on) => {
        const input = { ...shop, name: 'search', replicas: 4 };
        const shown = await on.as('zhangsan').preview('k8s.scale', input);
        return on.as('zhangsan').run('k8s.scale', { ...input, replicas: 5 }, shown);
      },
    ],
    [
      'another hash',
      async (on) => {
        const input = { ...shop, name: 'search', replicas: 4 };
        const { id } = await on.as('zhangsan').preview('k8s.scale', input);
        return on.as('zhangsan').run('k8s.scale', input, { id, hash: 'another' });
      },
    ],
    [
      'another operation',
      async (on) => {
        const input = { ...shop, name: 'search' };
        const shown = await on.as('zhangsan').preview('k8s.scale', { ...input, replicas: 4 });
        return on.as('zhangsan').run('k8s.restart', input, shown);
      },
    ],
  ];
  test.each(spoiled)('does not confirm %s', async (_what, attempt) => {
    const before = harness.cluster.get('deployments', 'shop', 'search');
    expect(await attempt(ops)).toMatchObject({ state: 'refused', reason: 'input' });
    expect(harness.cluster.get('deployments', 'shop', 'search')).toEqual(before);
  });

  test('that nobody made cannot be confirmed', async () => {
    const shown = { id: '11111111-1111-4111-8111-111111111111', hash: 'x' };
    expect(
      await ops.as('zhangsan').run('k8s.scale', { ...shop, name: 'search', replicas: 4 }, shown),
    ).toMatchObject({ reason: 'missing' });
  });
});

describe('a code', () => {
  const input = { ...shop, name: 'member', replicas: 0 };
  const wrong = (code: string | undefined) => (code === '0000' ? '0001' : '0000');

  test('may be corrected', async () => {
    const target = { ...input, name: 'inventory' };
    const shown = await ops.as('zhangsan').preview('k8s.scale', target);
    const run = (code?: string) => ops.as('zhangsan').run('k8s.scale', target, shown, code);
    expect(await run(wrong(shown.code))).toMatchObject({
      reason: 'code',
      message: '验证码不对，还可以试 4 次',
    });
    expect(await run()).toMatchObject({ reason: 'code' });
    expect(await run(shown.code)).toMatchObject({ state: 'done' });
  });

  test('cannot be guessed: after the fifth wrong one none is right, also when all come at once', async () => {
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    const run = (replica: Replica, code?: string) =>
      replica.as('zhangsan').run('k8s.scale', input, shown, code);
    const guesses = Array.from({ length: 20 }, (_, index) => run(index % 2 ? ops : other, wrong(shown.code)));
    for (const guess of await Promise.all(guesses)) expect(guess).toMatchObject({ reason: 'code' });
    const said = (await Promise.all(guesses)).map((guess) =>
      guess.state === 'refused' ? guess.message : '',
    );
    const left = said.filter((message) => message.includes('还可以试')).toSorted();
    expect(left).toEqual([1, 2, 3, 4].map((tries) => `验证码不对，还可以试 ${tries} 次`));
    expect(await run(ops, shown.code)).toMatchObject({ reason: 'code' });
    expect(replicasOf('member')).toBe(2);
  });

  test('is counted for a person and an operation, whatever many previews and objects there are', async () => {
    const one = { ...shop, name: 'push-worker', replicas: 0 };
    const another = { ...shop, name: 'comment', replicas: 0 };
    const SPENT = { reason: 'code', message: '验证码输错 5 次，10 分钟内不能再试这个操作' };
    harness.clock.pass(600_001);
    const kept = await ops.as('wangwu').preview('k8s.scale', one);
    for (const target of [one, another, one, another, one]) {
      const shown = await ops.as('wangwu').preview('k8s.scale', target);
      const guess = await other.as('wangwu').run('k8s.scale', target, shown, wrong(shown.code));
      expect(guess).toMatchObject({ reason: 'code' });
    }
    expect(await ops.as('wangwu').run('k8s.scale', one, kept, kept.code)).toMatchObject(SPENT);
    expect(await ops.as('wangwu').post('k8s.scale/preview', another)).toMatchObject(SPENT);
    // Others, and what needs no code, are as before.
    expect(await ops.as('zhangsan').post('k8s.scale/preview', one)).toMatchObject({ state: 'preview' });
    const low = { ...shop, name: 'comment', replicas: 3 };
    expect(await ops.as('wangwu').post('k8s.scale/preview', low)).toMatchObject({ state: 'preview' });
    harness.clock.pass(600_001);
    await ops.sweep();
    expect(await harness.sql('select user from code_tries')).toEqual([]);
    expect(await ops.as('wangwu').change('k8s.scale', one)).toMatchObject({ state: 'done' });
    expect(await harness.sql('select user from code_tries')).toEqual([]);
  });

  test('is asked for a restart in production, and not in a test unit', async () => {
    const pay = { unit: '支付', namespace: 'pay', name: 'settle' };
    expect(await ops.as('zhangsan').preview('k8s.restart', pay)).toMatchObject({ risk: 'high' });
    const web = { ...shop, name: 'web' };
    expect((await ops.as('zhangsan').preview('k8s.restart', web)).risk).toBe('low');
    expect(await ops.as('lisi').change('k8s.restart', web)).toEqual({
      state: 'done',
      text: 'web：已重启，2 个就绪',
    });
  });
});

describe('an operation whose answer got lost', () => {
  const input = { ...shop, name: 'recommend', replicas: 3 };

  test('never happens once it is settled', async () => {
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    expect(await other.as('zhangsan').acknowledge('operation.settle', { id: shown.id })).toMatchObject({
      state: 'never',
    });
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ reason: 'used' });
    expect(replicasOf('recommend')).toBe(2);
  });

  test('is in the audit once it is settled: who ended it, what it was, and that it never ran', async () => {
    const four = { ...input, replicas: 4 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', four);
    const rows = () =>
      harness.sql(
        `select outcome, reason, user, operation, unit, target, input, hash, jti, source from audit
         where outcome = 'cancelled' and hash = ?`,
        [shown.hash],
      );
    await ops.as('wangwu').acknowledge('operation.settle', { id: shown.id });
    expect(await rows()).toEqual([]);
    await other.as('zhangsan').acknowledge('operation.settle', { id: shown.id });
    expect(await rows()).toEqual([
      {
        outcome: 'cancelled',
        reason: 'settled',
        user: 'zhangsan',
        operation: 'k8s.scale',
        unit: '电商',
        target: 'shop/recommend',
        input: expect.stringContaining('"replicas":4'),
        hash: shown.hash,
        jti: expect.any(String),
        source: '127.0.0.1',
      },
    ]);
  });

  test('is not for others to settle', async () => {
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    await ops.as('wangwu').acknowledge('operation.settle', { id: shown.id });
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ state: 'done' });
    expect(await ops.as('wangwu').acknowledge('operation.settle', { id: shown.id })).toMatchObject({
      state: 'never',
    });
    expect(await ops.as('zhangsan').acknowledge('operation.settle', { id: shown.id })).toEqual({
      state: 'done',
      text: 'recommend：2 → 3，3 个就绪',
    });
  });
});

describe('outcomes', () => {
  test('of an answered operation are told ten seconds later, unless a receipt of their user comes first', async () => {
    const ids: string[] = [];
    for (const replicas of [4, 3, 4]) {
      const input = { ...shop, name: 'catalog', replicas };
      const shown = await ops.as('zhangsan').preview('k8s.scale', input);
      expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ state: 'done' });
      ids.push(shown.id);
    }
    const [read = '', unread = '', claimedByAnother = ''] = ids;
    await other.as('zhangsan').acknowledge('operation.received', { ids: [read] });
    await ops.as('zhangsan').acknowledge('operation.received', { ids: [read] });
    await ops.as('wangwu').acknowledge('operation.received', { ids: [claimedByAnother] });
    await ops.sweep();
    const told = () =>
      harness.push.attempts
        .map(({ idempotencyKey }) => idempotencyKey.replace('outcome-', ''))
        .filter((id) => ids.includes(id));
    expect(told()).toEqual([]);
    harness.clock.pass(10_001);
    await Promise.all([ops.sweep(), other.sweep()]);
    expect(told()).toEqual([unread, claimedByAnother]);
    await Promise.all([ops.sweep(), other.sweep()]);
    expect(told()).toHaveLength(2);
  });

  test('of a submitted operation are told as soon as they are known', async () => {
    harness.cluster.hold();
    const input = { ...shop, name: 'image-proxy', replicas: 3 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toEqual({
      state: 'accepted',
      text: '已提交：image-proxy 副本 2 → 3，等待就绪，完成后会告诉你',
    });
    expect(await ops.as('zhangsan').acknowledge('operation.settle', { id: shown.id })).toMatchObject({
      state: 'pending',
    });
    harness.cluster.release();
    expect(await harness.told(shown.id)).toMatchObject({
      to: { users: ['zhangsan'] },
      text: 'image-proxy：2 → 3，3 个就绪',
    });
  });

  test('say so when two minutes did not suffice', async () => {
    const input = { ...shop, name: 'coupon', replicas: 3 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ state: 'accepted' });
    harness.clock.pass(14_000);
    harness.clock.pass(106_000);
    await ops.sweep();
    expect(await harness.told(shown.id)).toMatchObject({
      to: { users: ['zhangsan'] },
      text: 'coupon：2 → 3 已生效，但只有 0 个就绪',
    });
  });
});
