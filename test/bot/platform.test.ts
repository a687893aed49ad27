import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { previewOf, startBot, web } from '#test/bot.ts';
import { sentences } from '../../src/bot/sentences.ts';
import type { Answer } from '../../src/contract/answer.ts';

const { wecom, platform, push, stop } = await startBot();
afterAll(stop);

const state = { id: '' };
const scripted = (run: () => Answer | 'hang' | undefined) => {
  platform.script = ({ operation }) => {
    if (operation === 'k8s.deployments.list') return { state: 'done', output: [web] };
    if (operation === 'k8s.scale/preview') return previewOf(state.id);
    return operation === 'k8s.scale' ? run() : undefined;
  };
};
const say = async (...lines: string[]): Promise<string> => {
  let reply = '';
  for (const line of lines) reply = (await wecom.say('zhangsan', line)).reply ?? '';
  return reply;
};
const pushed = (): readonly string[] => push.told('zhangsan');
const isAbout = (body: unknown, id: string) => (body as { ids: string[] }).ids.includes(id);
const called = (operation: string) => platform.calls.filter((call) => call.operation === operation);

beforeEach(async () => {
  state.id = randomUUID();
  push.script = () => undefined;
  scripted(() => undefined);
  await say('#');
});

test('the confirmed preview goes to the platform once, as the user, and its outcome is the reply', async () => {
  scripted(() => ({ state: 'done', text: 'web：2 → 3，3 个就绪' }));
  expect(await say('hi', '1-1-2-1-3', '1')).toContain('web：2 → 3，3 个就绪');
  const runs = called('k8s.scale');
  expect(runs).toHaveLength(1);
  expect(runs[0]).toMatchObject({
    user: 'zhangsan',
    departments: [1, 2],
    body: {
      input: { unit: '电商', namespace: 'shop', name: 'web', replicas: 3 },
      preview: { id: state.id, hash: 'h' },
    },
  });
  // Who has read it in the reply is not told again.
  await expect
    .poll(() => called('operation.received').map(({ user, body }) => [user, body]))
    .toContainEqual(['zhangsan', { ids: [state.id] }]);
});

test.each([
  ['an older', {}, {}, '已就绪'],
  ['a newer', { readyContainers: 1, containers: 2, zone: 'a' }, { page: { more: true } }, '1/2 就绪'],
])('%s platform is understood: its lists are shown', async (_, moreOfPod, moreOfAnswer, shown) => {
  const pod = { name: 'web-a', phase: 'Running', ready: true, restarts: 0, age: 5, node: 'n' };
  platform.script = ({ operation }) => {
    const output = operation === 'k8s.pods.list' ? [{ ...pod, ...moreOfPod }] : [web];
    return operation.startsWith('k8s') ? { state: 'done', output, ...moreOfAnswer } : undefined;
  };
  expect(await say('hi', '1-1-4-1')).toContain(`web-a\n  状态 Running ${shown}，重启 0 次`);
});

test('a receipt that the platform did not get is given again', async () => {
  const receipts = () => called('operation.received').filter(({ body }) => isAbout(body, state.id));
  scripted(() => ({ state: 'done', text: 'web：2 → 3，3 个就绪' }));
  const { script } = platform;
  platform.script = (call) =>
    call.operation === 'operation.received' && receipts().length < 2 ? 'hang' : script(call);
  await say('hi', '1-1-2-1-3', '1');
  await expect.poll(receipts, { timeout: 8000 }).toHaveLength(2);
});

test.each([
  ['still runs', { state: 'accepted', text: '已提交' }],
  ['was refused', { state: 'refused', reason: 'used', message: '这个预览已经确认过' }],
] as const)('no receipt is given for an operation that %s', async (_what, answered) => {
  scripted(() => answered);
  await say('hi', '1-1-2-1-3', '1');
  await say('#');
  expect(called('operation.received').filter(({ body }) => isAbout(body, state.id))).toEqual([]);
});

test('when the platform itself fails, the user reads its sentence, and what became of it is found out', async () => {
  scripted(() => ({ state: 'error', message: '出错了，编号 1234abcd。操作可能已经执行' }));
  const { script } = platform;
  platform.script = (call) =>
    call.operation === 'operation.settle'
      ? { state: 'done', output: { state: 'never', text: '没有执行：出错的操作' } }
      : script(call);
  expect(await say('hi', '1-1-2-1-3', '1')).toContain('操作可能已经执行');
  await expect.poll(pushed, { timeout: 5000 }).toContain('没有执行：出错的操作');
});

test('when the answer of a change got lost, the user hears so, and what never began is closed and told', async () => {
  const before = called('k8s.scale').length;
  let settled = 0;
  scripted(() => 'hang');
  const { script } = platform;
  platform.script = (call) => {
    if (call.operation !== 'operation.settle') return script(call);
    settled += 1;
    return settled === 1
      ? 'hang'
      : { state: 'done', output: { state: 'never', text: '没有执行：web 副本 2 → 3' } };
  };
  expect(await say('hi', '1-1-2-1-3', '1')).toContain(sentences.outcomeOpen);
  expect(called('k8s.scale').length).toBe(before + 1);
  await expect.poll(pushed, { timeout: 8000 }).toContain('没有执行：web 副本 2 → 3');
});

test('a refusal is one sentence, and a moved object brings the fresh preview', async () => {
  scripted(() => ({
    state: 'refused',
    reason: 'moved',
    message: '部署在此期间有变化',
    preview: {
      id: randomUUID(),
      hash: 'h2',
      risk: 'high',
      lines: ['副本 9 → 3'],
      code: '0042',
      expiresAt: Date.now() + 120_000,
    },
  }));
  const reply = await say('hi', '1-1-2-1-3', '1');
  expect(reply).toContain('部署在此期间有变化');
  expect(reply).toContain('输入确认码 0042 执行');
});

test('what could not be read for a list stands above it, also above a result', async () => {
  const row = { namespace: 'shop', name: 'web', replicas: 2, ready: 2, image: 'i' };
  const output = [{ ...row, key: 'shop/web', label: 'shop/web  2/2 就绪' }];
  platform.script = ({ operation }) =>
    operation === 'k8s.deployments.list'
      ? { state: 'done', output, unread: ['命名空间 pay：集群连不上'] }
      : undefined;
  expect(await say('hi', '1-1-2')).toMatch(
    /^没有列全：命名空间 pay：集群连不上\n[\s\S]*1 shop\/web {2}2\/2 就绪/,
  );
  expect(await say('hi', '1-1-1')).toContain('没有列全：命名空间 pay：集群连不上\nshop/web  2/2 就绪');
});

test('what the platform answers outside of the contract is not believed', async () => {
  platform.script = ({ operation }) =>
    operation === 'k8s.deployments.list' ? { state: 'done', output: [{ key: 1 }] } : undefined;
  expect(await say('hi', '1', '1', '1')).toMatch(
    /出错了，编号 [0-9a-f]{8}。没有执行任何操作，.*把编号发给运维负责人/,
  );
});
