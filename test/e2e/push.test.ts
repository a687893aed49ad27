import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPushClient, type PushClient } from '../../src/push/client.ts';
import { startTestDemo, type TestDemo } from '../helpers/demo.ts';
import { type Gate, openGate, type Passing } from './gate.ts';

const patiently = { timeout: 45_000, interval: 50 };
let demo: TestDemo;
let toPush: Gate;
let client: PushClient;
beforeAll(async () => {
  toPush = await openGate({ target: () => `http://127.0.0.1:${demo.env.PUSH_PORT}` });
  demo = await startTestDemo({ settings: { PUSH_URL: toPush.url, OPS_PUSH_URL: toPush.url } });
  const { PUSH_APP_ID: app = '', PUSH_APP_KEY: key = '', PUSH_PORT: port } = demo.env;
  const url = `http://127.0.0.1:${port}`;
  client = createPushClient({ url, app, key });
});
afterAll(async () => {
  await demo.stop();
  await toPush.close();
});

const told = (user: string, text: string) => () =>
  demo.pushed(user).filter((pushed) => pushed.includes(text)).length;
const handsIn = ({ method, path }: Passing): boolean => method === 'POST' && path === '/v1/messages';
/** Confirms a change while nothing moves in the cluster, so that its outcome is told by a message. */
const submit = async (user: string, ...lines: readonly string[]): Promise<void> => {
  await demo.say(user, '#', '你好', ...lines);
  demo.cluster.hold();
  expect(await demo.say(user, '1')).toContain('已提交');
};

test('an outside client sends with what stands in .demo/env, and the message is on the phone', async () => {
  const sent = await client.send({ to: { users: ['lisi'] }, text: '磁盘已满 90%', opaque: 'disk-1' });
  expect(sent).toMatchObject({ state: 'sent', opaque: 'disk-1', msgid: expect.any(String) });
  expect(demo.pushed('lisi')).toContain('磁盘已满 90%');
  await client.send({ to: { robots: ['ops-room'], chats: ['oncall'] }, markdown: '**发布** 完成' });
  expect(demo.wecom.arrived('robot:ops-room')).toHaveLength(1);
  expect(demo.wecom.arrived('chat:oncall')).toHaveLength(1);
});

test('what push is handed twice under one key arrives once', async () => {
  const message = { to: { users: ['lisi'] }, text: '只此一次', idempotencyKey: randomUUID() };
  const answers = await Promise.all([client.send(message), client.send(message), client.send(message)]);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(told('lisi', '只此一次')()).toBe(1);
});

test('an outcome is told exactly once when the ops platform never hears that it was taken down', async () => {
  await submit('zhangsan', '1-1-2', 'web', '3');
  // The client itself asks twice; both answers get lost, so the outcome stays in the outbox and is handed over again.
  const first = toPush.hold('answer', handsIn);
  demo.cluster.release();
  await first.reached;
  const second = toPush.hold('answer', handsIn);
  first.drop();
  await second.reached;
  second.drop();
  const third = toPush.hold('answer', handsIn);
  await third.reached;
  third.release();
  await expect.poll(told('zhangsan', 'web：2 → 3，3 个就绪'), patiently).toBe(1);
  expect(toPush.passed.filter(handsIn)).toHaveLength(3);
}, 60_000);

test('while message delivery is away the bot goes on answering, and the outcome is told once it is back', async () => {
  await submit('wangwu', '1-1-2', 'cart', '4');
  await demo.kill('push');
  demo.cluster.release();
  expect(await demo.say('zhangsan', '#', '你好')).toContain('1 电商');
  expect((await fetch(`http://127.0.0.1:${demo.env.BOT_INTERNAL_PORT}/readyz`)).status).toBe(200);
  await vi.waitFor(async () => {
    const metrics = await fetch(`http://127.0.0.1:${demo.env.OPS_INTERNAL_PORT}/metrics`);
    expect(await metrics.text()).toMatch(/keypad_ops_outbox_total\{result="away"\} [1-9]/);
  }, patiently);
  await demo.restart('push');
  await expect.poll(told('wangwu', 'cart：3 → 4，4 个就绪'), patiently).toBe(1);
}, 90_000);

test.each([
  ['bot', 'keypad-bot'],
  ['ops', 'keypad-ops'],
] as const)('the role %s may do no more at message delivery than it needs', async (role, name) => {
  const env = demo.roleEnv[role];
  const app = env.PUSH_APP_ID ?? env.OPS_PUSH_APP_ID ?? '';
  const key = env.PUSH_APP_KEY ?? env.OPS_PUSH_APP_KEY ?? '';
  const url = env.PUSH_URL ?? env.OPS_PUSH_URL ?? '';
  expect(app).toBe(name);
  const bot = createPushClient({ url, app, key });
  for (const message of [
    { to: { users: ['@all'] }, text: '所有人' },
    { to: { robots: ['ops-room'] }, text: '机器人' },
    { to: { users: ['lisi'] }, markdown: '**x**' },
  ]) {
    await expect(bot.push(message)).rejects.toMatchObject({ status: 403 });
  }
});
