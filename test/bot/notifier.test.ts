import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { startPush } from '#test/push.ts';
import { createNotifier } from '../../src/bot/notifier.ts';
import { createPushClient } from '../../src/push/client.ts';

const running = await startBot();
const { wecom, platform, push, bot } = running;
afterAll(running.stop);
beforeEach(() => {
  platform.script = () => undefined;
  push.script = () => undefined;
});

describe('a bot without message delivery', () => {
  test('is ready and answers', async () => {
    const alone = await startBot({
      PUSH_URL: 'http://127.0.0.1:1',
      CALLBACK_ALLOWED_SOURCES: 'wecom,127.0.0.1',
    });
    try {
      expect((await alone.wecom.say('zhangsan', 'hi')).reply).toContain('1 电商');
      for (const check of Object.values(alone.bot.checks)) await expect(check()).resolves.toBeUndefined();
      await expect.poll(() => alone.lines.join('')).toContain('departments unknown');
    } finally {
      await alone.stop();
    }
  });

  test('shows the first screen in time although nothing ever answers', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const alone = await startBot({ PUSH_URL: `http://127.0.0.1:${port}` });
    try {
      expect((await alone.wecom.say('zhangsan', 'hi')).reply).toContain('1 电商');
    } finally {
      silent.close();
      await alone.stop();
    }
  });

  test('takes users to be in no department', async () => {
    const alone = await startBot({ PUSH_URL: 'http://127.0.0.1:1' });
    try {
      await alone.wecom.say('zhangsan', 'hi');
      expect(alone.platform.calls.find(({ user }) => user === 'zhangsan')?.departments).toEqual([]);
    } finally {
      await alone.stop();
    }
  });
});

test('a bot knows no secret of WeCom', () => {
  expect(Object.keys(bot.checks)).toEqual(['redis']);
  expect(running.lines.join('')).not.toContain('gettoken');
  expect(wecom.answers('gettoken')).toEqual([]);
});

describe('what comes after the reply', () => {
  const message = { user: 'lisi', msgId: '7' };

  test('is told once for each message and text, also when nobody heard that it was taken down', async () => {
    const server = await startPush();
    const calls: string[] = [];
    const stopping = new AbortController();
    const notifier = createNotifier({
      account: 'default',
      stopping: stopping.signal,
      client: createPushClient({ ...server }),
      now: Date.now,
      sleep: async () => {},
      onCall: (what, result) => void calls.push(`${what} ${result}`),
      onAway: () => {},
    });
    for (let times = 0; times < 2; times += 1) await notifier.tellLate(message, '迟到的列表');
    expect(server.told('lisi')).toEqual(['迟到的列表']);
    await notifier.tellLate({ ...message, msgId: '8' }, '迟到的列表');
    expect(server.told('lisi')).toEqual(['迟到的列表', '迟到的列表']);
    server.script = () => (server.attempts.length < 8 ? 'lose' : undefined);
    await notifier.tellLate(message, '另一个列表');
    expect(server.told('lisi').filter((text) => text === '另一个列表')).toHaveLength(1);
    expect(server.attempts.at(-1)?.idempotencyKey).toMatch(/^late-[0-9a-f]{64}$/);
    expect(calls.filter((call) => call === 'push down').length).toBeGreaterThan(1);
    server.script = () => 403;
    await expect(notifier.tellLate(message, '不允许')).rejects.toMatchObject({ status: 403 });
    for (const status of [400, 413]) {
      server.script = () => status;
      await expect(notifier.tellLate(message, `不收 ${status}`)).rejects.toMatchObject({ status });
      expect(server.attempts.filter(({ text }) => text === `不收 ${status}`)).toHaveLength(1);
    }
    // What it says of one message is no sign that it is away, or refuses this bot.
    expect(calls.slice(-3)).toEqual(['push refused', 'push answered', 'push answered']);
    for (const status of [401, 403, 404, 429, 503]) {
      const text = `不认识 ${status}`;
      server.script = () =>
        server.attempts.filter((each) => each.text === text).length < 3 ? status : undefined;
      await notifier.tellLate(message, text);
      expect(server.told('lisi')).toContain(text);
    }
    server.script = () => 503;
    stopping.abort();
    await expect(notifier.tellLate(message, '关闭中')).rejects.toMatchObject({ status: 503 });
    expect(server.attempts.filter(({ text }) => text === '关闭中')).toHaveLength(1);
    await server.stop();
  });

  test('names its account, but for the default one, and the same text of two accounts is two messages', async () => {
    const server = await startPush();
    for (const account of ['default', 'shop']) {
      const notifier = createNotifier({
        account,
        client: createPushClient({ ...server }),
        now: Date.now,
        sleep: async () => {},
        onCall: () => {},
        onAway: () => {},
        stopping: new AbortController().signal,
      });
      await notifier.tellLate(message, '同样的话');
      await notifier.callbackRanges();
    }
    expect(server.attempts.map((each) => (each as { account?: string }).account)).toEqual([
      undefined,
      'shop',
    ]);
    expect(server.told('lisi')).toEqual(['同样的话', '同样的话']);
    expect(server.targets.filter((target) => target.includes('ranges'))).toEqual([
      '/v1/directory/callback-ranges',
      '/v1/directory/callback-ranges?account=shop',
    ]);
    await server.stop();
  });
});
