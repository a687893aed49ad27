import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CLUSTER_TOKEN, startTestDemo, type TestDemo } from '../helpers/demo.ts';
import { confirms, type Gate, openClusterGate, openGate, writesTo } from './gate.ts';

/**
 * Each process is killed once, in the middle of several changes at once: the gates hold each change at another place.
 * Afterwards nothing was done twice, and everybody has been told what became of theirs.
 */

const patiently = { timeout: 35_000, interval: 50 };
let demo: TestDemo;
let toOps: Gate;
let toCluster: Gate;
beforeAll(async () => {
  toOps = await openGate({ target: () => `http://127.0.0.1:${demo.env.OPS_PORT}` });
  demo = await startTestDemo({
    settings: { OPS_URL: toOps.url },
    kubeconfigFor: async (cluster) => {
      const opened = await openClusterGate(cluster, CLUSTER_TOKEN);
      toCluster = opened;
      return opened.kubeconfig;
    },
  });
});
afterAll(async () => {
  await demo.stop();
  await Promise.all([toOps.close(), toCluster.close()]);
});

/** Brings a user to the preview of a change. */
const preview = (user: string, ...lines: readonly string[]) => demo.say(user, '#', '你好', ...lines);
/** WeCom tries again until a bot answers; its own pause is longer still. */
const patience = { retryGapMs: 1000 };
const say = (user: string, line: string) => demo.wecom.say(user, line, patience);
const replicasOf = (name: string) => demo.cluster.get('deployments', 'shop', name)?.spec?.replicas;
const writes = (name: string): number => toCluster.passed.filter(writesTo(name)).length;
/** How often a user has got a text in which that stands, by reply or by message. */
const told = (user: string, text: string) => () =>
  demo.wecom.messages(user).filter((seen) => seen.direction === 'in' && seen.text.includes(text)).length;
const codeIn = (screen: string): string => /确认码 (\d{4})/.exec(screen)?.[1] ?? 'no code';

describe('when the bot is killed', () => {
  const msgId = '7000000000000000009';
  beforeAll(async () => {
    demo.cluster.hold();
    await preview('wangwu', '1-1-2', 'api-gateway', '5', '1');
    demo.wecom.setFaults([{ api: 'message/send', hang: true, times: 5 }]);
    demo.cluster.release();
    await vi.waitFor(() => expect(demo.wecom.faults.list()[0]?.times).toBeLessThan(5), patiently);
    const screen = await preview('wangwu', '1-2-2', '1');
    demo.cluster.hold();
    await preview('zhangsan', '1-1-2', 'order', '5', '1');
    await preview('zhangsan', '1-1-2', 'web', '3');
    await preview('lisi', '1-1-3', 'comment');
    const beforeOps = toOps.hold('request', confirms('k8s.scale'));
    void say('zhangsan', '1');
    const afterOps = toOps.hold('answer', confirms('mysql.kill'));
    void say('wangwu', codeIn(screen));
    const inOps = toCluster.hold('request', writesTo('comment'));
    void demo.wecom.say('lisi', '1', { ...patience, msgId });
    await Promise.all([beforeOps.reached, afterOps.reached, inOps.reached]);
    await demo.kill('bot');
    demo.wecom.setFaults([]);
    for (const held of [beforeOps, afterOps]) held.drop();
    inOps.release();
    demo.cluster.release();
    await demo.restart('bot');
  });

  test('a change that ops never got does not happen, and its user hears so', async () => {
    await expect.poll(told('zhangsan', '没有执行，平台没有收到确认'), patiently).toBe(1);
    expect(writes('web')).toBe(0);
  });

  test('a change that ops was about to make happens once, and its user hears of it', async () => {
    await expect.poll(told('lisi', 'comment：已重启，2 个就绪'), patiently).toBe(1);
    expect(writes('comment')).toBe(1);
  });

  test('a repeat of its confirmation offers nothing to repeat, and runs nothing', async () => {
    const repeat = () => demo.wecom.say('lisi', '1', { msgId });
    await vi.waitFor(async () => expect((await repeat()).reply).toContain('请不要重复操作'), patiently);
    expect((await repeat()).reply).not.toContain('再发');
    expect(writes('comment')).toBe(1);
  });

  test('a change whose outcome was on its way to the bot is told by the next one', async () => {
    await expect.poll(told('wangwu', '的查询不再运行'), patiently).toBe(1);
  });

  test('an outcome that was just being sent is sent by the next one', async () => {
    await expect.poll(told('wangwu', 'api-gateway：4 → 5，5 个就绪'), patiently).toBe(1);
    expect(writes('api-gateway')).toBe(1);
  }, 40_000);

  test('a change that waited for readiness is told when it is ready', async () => {
    await expect.poll(told('zhangsan', 'order：4 → 5，5 个就绪'), patiently).toBe(1);
    expect(writes('order')).toBe(1);
  });
});

describe('when ops is killed', () => {
  beforeAll(async () => {
    demo.cluster.hold();
    await preview('zhangsan', '1-1-2', 'catalog', '4', '1');
    await preview('zhangsan', '1-1-2', 'member', '3');
    await preview('wangwu', '1-1-2', 'cart', '4');
    await preview('lisi', '1-1-3', 'recommend');
    const beforeOps = toOps.hold('request', confirms('k8s.restart'));
    const beforeEffect = toCluster.hold('request', writesTo('member'));
    const afterEffect = toCluster.hold('answer', writesTo('cart'));
    const all = ['zhangsan', 'wangwu', 'lisi'].map((user) => say(user, '1'));
    await Promise.all([beforeOps.reached, beforeEffect.reached, afterEffect.reached]);
    await demo.kill('ops');
    beforeOps.release();
    for (const held of [beforeEffect, afterEffect]) held.drop();
    demo.cluster.release();
    for (const { reply } of await Promise.all(all)) expect(reply).toContain('结果未知。查清后会马上告诉你');
    await demo.restart('ops');
  });

  test('a change that it never got does not happen, and its user hears so', async () => {
    await expect.poll(told('lisi', '没有执行，平台没有收到确认'), patiently).toBe(1);
    expect(writes('recommend')).toBe(0);
  });

  test('a change that had not reached the cluster does not happen, and its user hears so', async () => {
    await expect.poll(told('zhangsan', 'member：没有执行，平台中断过'), patiently).toBe(1);
    // The one write is the platform's mark, after which a request that is still on its way changes nothing.
    expect([writes('member'), replicasOf('member')]).toEqual([1, 2]);
  });

  test('a change that had reached the cluster is found out, told as done, and not made again', async () => {
    await expect.poll(told('wangwu', 'cart：3 → 4，4 个就绪'), patiently).toBe(1);
    expect([writes('cart'), replicasOf('cart')]).toEqual([1, 4]);
  });

  test('a change that waited for readiness is watched on, and told when it is ready', async () => {
    await expect.poll(told('zhangsan', 'catalog：3 → 4，4 个就绪'), patiently).toBe(1);
    expect(writes('catalog')).toBe(1);
  });
});

describe('when Redis is killed', () => {
  const msgId = '7000000000000000002';
  let reply: string | null;
  beforeAll(async () => {
    await preview('wangwu', '1-1-2', 'inventory', '3');
    await preview('zhangsan', '1-1-2', 'search', '4');
    await preview('lisi', '1-1-3', 'image-proxy');
    const late = toOps.hold('answer', confirms('k8s.scale'));
    const working = say('zhangsan', '1');
    await late.reached;
    demo.cluster.hold();
    await say('lisi', '1');
    expect((await working).reply).toContain('处理中');
    const inTime = toOps.hold('answer', confirms('k8s.scale'));
    const answered = demo.wecom.say('wangwu', '1', { msgId });
    await inTime.reached;
    await demo.kill('redis');
    late.release();
    inTime.release();
    reply = (await answered).reply;
    demo.cluster.release();
  });

  test('the answer to a change comes in the reply although nothing can be stored', () => {
    expect(reply).toContain('已提交：inventory 副本 2 → 3');
  });

  test('a message that comes meanwhile does nothing and says so, and works when Redis is back', async () => {
    await vi.waitFor(
      async () => expect((await say('lisi', '1')).reply).toContain('会话服务暂时不可用'),
      patiently,
    );
    // Whether it is a repeat is not known now: that nothing was done would be false.
    const repeat = await demo.wecom.say('wangwu', '1', { msgId });
    expect(repeat.reply).toContain('请不要重复');
    expect(repeat.reply).not.toContain('没有执行');
    await demo.restart('redis');
    await vi.waitFor(
      async () => expect(await demo.say('lisi', '#', '你好')).toContain('请选择事业部'),
      patiently,
    );
  });

  // Only the bot needs Redis: outcomes come from the ops platform through message delivery.
  test('the outcome of a change that could not be stored comes all the same', async () => {
    await expect.poll(told('wangwu', 'inventory：2 → 3，3 个就绪'), patiently).toBe(1);
  }, 40_000);

  test('an outcome that was promised for later comes all the same', async () => {
    await expect.poll(told('zhangsan', 'search：3 → 4，4 个就绪'), patiently).toBe(1);
  }, 40_000);

  test('a change that waited for readiness is told all the same', async () => {
    await expect.poll(told('lisi', 'image-proxy：已重启，2 个就绪'), patiently).toBe(1);
  }, 40_000);

  test('what was confirmed is not done again, neither by a repeat nor by another 1', async () => {
    await demo.wecom.say('wangwu', '1', { msgId });
    expect(await demo.say('wangwu', '1')).not.toBe('');
    expect([writes('inventory'), replicasOf('inventory')]).toEqual([1, 3]);
  });
});

describe('after all of it', () => {
  test('nobody has been told an outcome twice', () => {
    const outcome = /\d+ → \d+，|已重启，|不再运行|没有执行：平台/;
    for (const user of ['zhangsan', 'lisi', 'wangwu']) {
      const outcomes = demo.pushed(user).filter((text) => outcome.test(text));
      expect(outcomes).toEqual([...new Set(outcomes)]);
    }
  });

  test('the audit is whole', async () => {
    const file = fileURLToPath(new URL('../../src/ops/audit/verify.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env: demo.env });
    expect(stdout).toMatch(/\d+ rows/);
  });
});
