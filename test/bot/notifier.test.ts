import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
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

/** The platform lends an outcome until it is told, as often as it is asked: as if each loan had just run out. */
function lend(text: string): { readonly id: string } {
  const id = randomUUID();
  let isTold = false;
  platform.script = ({ operation, body }) => {
    if (operation === 'outcomes.told') isTold ||= (body as { ids: string[] }).ids.includes(id);
    if (operation !== 'outcomes.claim') return undefined;
    return { state: 'done', output: isTold ? [] : [{ id, user: 'lisi', state: 'done', text }] };
  };
  return { id };
}
const isReported = (id: string): boolean =>
  platform.calls.some(({ operation, body }) => {
    return operation === 'outcomes.told' && (body as { ids: string[] }).ids.includes(id);
  });
const tries = (text: string) => push.attempts.filter((attempt) => attempt.text === text).length;
const told = (text: string) => push.told('lisi').filter((each) => each === text).length;
const patiently = { timeout: 8000 };

describe('an outcome is told exactly once', () => {
  test('when message delivery was away and comes back', async () => {
    push.script = ({ text }) => (text === '曾经断开' && tries(text) < 4 ? 'hang' : undefined);
    const { id } = lend('曾经断开');
    await vi.waitFor(() => expect(isReported(id)).toBe(true), patiently);
    expect([told('曾经断开'), tries('曾经断开')]).toEqual([1, 4]);
  });

  test('when it was taken down and the answer got lost', async () => {
    push.script = ({ text }) => (text === '回执丢失' && tries(text) < 4 ? 'lose' : undefined);
    const { id } = lend('回执丢失');
    await vi.waitFor(() => expect(isReported(id)).toBe(true), patiently);
    expect(told('回执丢失')).toBe(1);
    expect(
      new Set(push.attempts.filter(({ text }) => text === '回执丢失').map((m) => m.idempotencyKey)),
    ).toEqual(new Set([`outcome-${id}`]));
  });

  test('when the platform did not hear that it was told', async () => {
    const { id } = lend('平台没听到');
    const { script } = platform;
    let lost = 0;
    platform.script = (call) => {
      if (call.operation !== 'outcomes.told' || lost >= 2) return script(call);
      lost += 1;
      return 'hang';
    };
    await vi.waitFor(() => expect(isReported(id)).toBe(true), patiently);
    await vi.waitFor(() => expect(tries('平台没听到')).toBeGreaterThan(1), patiently);
    expect(told('平台没听到')).toBe(1);
  });

  test('when message delivery is away, as soon as it is back', async () => {
    const { id } = lend('马上重试');
    const { script } = platform;
    let claims = 0;
    platform.script = (call) => {
      if (call.operation !== 'outcomes.claim') return script(call);
      claims += 1;
      return claims === 1 ? script(call) : { state: 'done', output: [] };
    };
    push.script = ({ text }) => (text === '马上重试' && tries(text) < 6 ? 'hang' : undefined);
    await vi.waitFor(() => expect(isReported(id)).toBe(true), patiently);
    expect(told('马上重试')).toBe(1);
  });

  test('in the lane of alerts', async () => {
    const { id } = lend('走告警通道');
    await vi.waitFor(() => expect(isReported(id)).toBe(true), patiently);
    expect(push.attempts.at(-1)).toMatchObject({ priority: 'alert', to: { users: ['lisi'] } });
  });
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
      expect(alone.lines.join('')).toContain('the callback ranges of WeCom are not fresh');
    } finally {
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
      client: createPushClient({ ...server, now: Date.now, newNonce: randomUUID }),
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
    server.script = () => 503;
    stopping.abort();
    await expect(notifier.tellLate(message, '关闭中')).rejects.toMatchObject({ status: 503 });
    expect(server.attempts.filter(({ text }) => text === '关闭中')).toHaveLength(1);
    await server.stop();
  });
});
