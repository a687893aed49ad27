import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLUSTER_TOKEN, startTestDemo, type TestDemo } from '../helpers/demo.ts';
import { pause } from '../helpers/pause.ts';
import { type Gate, openClusterGate, writesTo } from './gate.ts';

const namespace = 'shop';
/** Longer than the longest way of an outcome: lent to a bot for 30 s that could not tell it, or to a worker that died. */
const patiently = { timeout: 45_000, interval: 50 };
let demo: TestDemo;
let gate: Gate;
beforeAll(async () => {
  demo = await startTestDemo({
    kubeconfigFor: async (cluster) => {
      const opened = await openClusterGate(cluster, CLUSTER_TOKEN);
      gate = opened;
      return opened.kubeconfig;
    },
  });
});
afterAll(async () => {
  await demo.stop();
  await gate.close();
});

const begin = (user: string, ...lines: readonly string[]) => demo.say(user, '#', '你好', ...lines);
/** Confirms a change while nothing moves in the cluster, so that it ends only when that is released. */
const submit = async (user: string, ...lines: readonly string[]): Promise<void> => {
  await begin(user, ...lines);
  demo.cluster.hold();
  expect(await demo.say(user, '1')).toContain('已提交');
};
const replicasOf = (name: string) => demo.cluster.get('deployments', namespace, name)?.spec?.replicas;
const writes = (name: string): number => gate.passed.filter(writesTo(name)).length;
const told = (user: string, text: string) => () =>
  demo.pushed(user).filter((pushed) => pushed.includes(text)).length;

test('an outcome that takes its time is first submitted, then told by a message', async () => {
  await begin('zhangsan', '1-1-2', 'web', '3');
  demo.cluster.hold();
  expect(await demo.say('zhangsan', '1')).toContain('已提交：web 副本 2 → 3，等待就绪');
  expect(replicasOf('web')).toBe(3);
  expect(demo.pushed('zhangsan')).toEqual([]);
  demo.cluster.release();
  await expect.poll(told('zhangsan', 'web：2 → 3，3 个就绪'), patiently).toBe(1);
});

test('what takes longer than 4 s is answered at once that it is worked on, and told later', async () => {
  await begin('wangwu', '1-1');
  const resume = pause(demo.processes.ops.process);
  expect(await demo.say('wangwu', '1')).toContain('处理中');
  await resume();
  await expect.poll(told('wangwu', 'order  4/4 就绪'), patiently).toBe(1);
});

test('the same message four times within 30 ms scales once, and has one answer', async () => {
  await begin('zhangsan', '1-1-2', 'cart', '4');
  const { replies } = await demo.wecom.say('zhangsan', '1', { times: 4, gapMs: 10 });
  const answers = replies.filter((reply) => reply !== null);
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toContain('cart：3 → 4，4 个就绪');
  expect(writes('cart')).toBe(1);
});

test('a message that WeCom repeats while it is worked on scales once, and its outcome is told', async () => {
  await begin('zhangsan', '1-1-2', 'member', '3');
  const held = gate.hold('request', writesTo('member'));
  const msgId = '7000000000000000001';
  const first = await demo.wecom.say('zhangsan', '1', { msgId, attemptMs: 400 });
  await held.reached;
  // Cut after the first attempt as after WeCom's 5 s; the repeat found it running and was answered with nothing.
  expect([first.reply, first.status, first.attempts]).toEqual([null, 200, 2]);
  held.release();
  await expect.poll(() => replicasOf('member')).toBe(3);
  await expect.poll(told('zhangsan', 'member：2 → 3，3 个就绪'), patiently).toBe(1);
  const { replies } = await demo.wecom.say('zhangsan', '1', { msgId, times: 2 });
  expect(replies.every((reply) => reply?.includes('member：2 → 3，3 个就绪'))).toBe(true);
  expect(writes('member')).toBe(1);
});

test('a message that is two minutes old does nothing and says so', async () => {
  await begin('zhangsan', '1-1-2', 'catalog', '4');
  const createTime = Math.floor(Date.now() / 1000) - 121;
  const { reply } = await demo.wecom.say('zhangsan', '1', { createTime });
  expect(reply).toMatch(
    /^（回复 \d\d:\d\d 的“1”）\n消息已过期，没有执行任何操作。\n\n电商 › Kubernetes › 扩缩容 › catalog/,
  );
  expect(writes('catalog')).toBe(0);
});

test('a burst of 1 1 1 over two replicas is three steps, each taken once', async () => {
  const first = demo.env.BOT_CALLBACK_URL ?? '';
  demo.wecom.setCallbackUrls([first, await demo.addBot()]);
  await begin('zhangsan');
  const burst = await Promise.all([1, 2, 3].map(() => demo.wecom.say('zhangsan', '1')));
  const screens = burst.map(({ reply }) => reply ?? '');
  for (const step of ['1 Kubernetes', '1 查看部署', 'order  4/4 就绪']) {
    expect(screens.filter((screen) => screen.includes(step))).toHaveLength(1);
  }
  const redis = new Redis(demo.env.REDIS_URL ?? '');
  expect(await redis.get(`keypad:{${demo.env.WECOM_AGENT_ID}:zhangsan}:path`)).toBe('1-1-1');
  redis.disconnect();
  demo.wecom.setCallbackUrls([first]);
});

test('a token that WeCom no longer takes loses no outcome', async () => {
  await submit('wangwu', '1-1-2', 'order', '5');
  demo.wecom.setFaults([{ api: 'message/send', errcode: 40014 }]);
  demo.cluster.release();
  await expect.poll(told('wangwu', 'order：4 → 5，5 个就绪'), patiently).toBe(1);
  expect(demo.wecom.answers('message/send')).toContain(40014);
});

test('message delivery that is killed with an outcome in its hands tells it when it is back, once', async () => {
  await submit('zhangsan', '1-1-2', 'order', '4');
  demo.wecom.setFaults([{ api: 'message/send', hang: true, times: 5 }]);
  demo.cluster.release();
  await vi.waitFor(() => expect(demo.wecom.faults.list()[0]?.times).toBeLessThan(5), patiently);
  await demo.kill('push');
  demo.wecom.setFaults([]);
  await demo.restart('push');
  await expect.poll(told('zhangsan', 'order：5 → 4，4 个就绪'), patiently).toBe(1);
}, 60_000);
