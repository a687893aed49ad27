import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { startPlatform } from '#test/platform.ts';
import { askRights, covers } from '../../src/bot/rights.ts';
import { sentences } from '../../src/bot/sentences.ts';
import { createTtlCache } from '../../src/bot/ttl-cache.ts';

const running = await startBot();
afterAll(running.stop);

test('without any right there is one sentence and no session', async () => {
  running.platform.script = ({ operation, user }) =>
    operation === 'me' && user === 'mallory' ? { state: 'done', output: {} } : undefined;
  for (const line of ['hi', '1', '1-1']) {
    expect((await running.wecom.say('mallory', line)).reply, line).toBe(sentences.noRights);
  }
});

test('while the platform cannot be asked, nothing is shown but a sentence', async () => {
  running.platform.script = () => 'hang';
  expect((await running.wecom.say('lisi', 'hi')).reply).toBe(sentences.platformDown);
});

test('a right counts in its unit, and before a unit is chosen in any', () => {
  const rights = new Map([
    ['电商', new Set(['k8s.scale'])],
    ['支付', new Set(['mysql.kill'])],
  ]);
  expect(covers(rights, 'k8s.scale', undefined)).toBe(true);
  expect(covers(rights, 'k8s.scale', '电商')).toBe(true);
  expect(covers(rights, 'k8s.scale', '支付')).toBe(false);
  expect(covers(rights, 'k8s.scale', '不存在')).toBe(false);
  expect(covers(rights, 'k8s.scale', { toString: () => '电商' })).toBe(false);
});

test('an answer is believed for its time, a failure not at all', async () => {
  let now = 0;
  let asked = 0;
  const recent = createTtlCache({
    milliseconds: 30_000,
    keyOf: (key: string) => key,
    ask: async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return asked;
    },
    now: () => now,
  });
  await expect(recent('a')).rejects.toThrow('down');
  expect(await Promise.all([recent('a'), recent('a')])).toEqual([2, 2]);
  now = 29_999;
  expect(await recent('a')).toBe(2);
  now = 30_000;
  expect(await recent('a')).toBe(3);
});

test('a refusal of the platform is the sentence the user reads', async () => {
  const platform = await startPlatform();
  const client = { read: async () => ({ refused: '没有权限' }), post: async () => ({}) } as never;
  await expect(askRights(client, { user: 'x', departments: [], trace: 't' }, () => {})).rejects.toThrow(
    '没有权限',
  );
  await platform.stop();
});
