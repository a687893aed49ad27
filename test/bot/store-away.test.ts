import { afterAll, afterEach, expect, test } from 'vitest';
import { startBot, web } from '#test/bot.ts';
import { startRedis } from '#test/redis.ts';
import { startTcpProxy } from '#test/tcp-proxy.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { createRedis } from '../../src/server/redis.ts';

const server = await startRedis();
const admin = createRedis(server.url);
const proxy = await startTcpProxy(Number(new URL(server.url).port));
const { bot, wecom, platform, stop } = await startBot({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
afterEach(() => admin.config('SET', 'maxmemory', '0', 'min-replicas-to-write', '0'));
afterAll(async () => {
  await stop();
  admin.disconnect();
  await proxy.stop();
  await server.stop();
});

const say = async (text: string) => (await wecom.say('zhangsan', text)).reply;

test.each<[string, () => unknown]>([
  ['has no room', () => admin.config('SET', 'maxmemory', '1')],
  ['lacks replicas', () => admin.config('SET', 'min-replicas-to-write', '1')],
  ['is at the end of a link that died without FIN', () => proxy.swallow()],
])(
  'of a Redis that %s the user hears, /readyz tells, and afterwards all is as before',
  async (_what, break_) => {
    expect(await say('hi')).toContain('请选择事业部');
    await break_();
    expect(await say('1')).toContain('会话服务暂时不可用');
    await admin.config('SET', 'maxmemory', '0', 'min-replicas-to-write', '0');
    await expect.poll(() => bot.checks.redis()).toBeUndefined();
    expect(await say('#')).toContain('已退出');
  },
);

test('who waits for an earlier message hears of it too, and not that something broke', async () => {
  await say('hi');
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Answer>();
  platform.script = ({ operation }) => {
    if (operation !== 'k8s.deployments.list') return undefined;
    asked.resolve();
    return answer.promise;
  };
  const first = say('1-1-2');
  await asked.promise;
  const second = say('2');
  // Its place is behind the first by now.
  await expect.poll(async () => (await admin.mget(await admin.keys('*line'))).join()).toMatch(/=.*=/);
  await admin.config('SET', 'maxmemory', '1');
  expect(await second).toContain('会话服务暂时不可用');
  answer.resolve({ state: 'done', output: [web] });
  expect(await first).toContain('会话服务出现故障');
});

test('a Redis that is read but not written is not ready', async () => {
  await admin.config('SET', 'min-replicas-to-write', '1');
  await expect(bot.checks.redis()).rejects.toThrow('NOREPLICAS');
});
