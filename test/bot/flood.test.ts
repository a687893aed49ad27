import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { sentences } from '../../src/chat/index.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { createRedis } from '../../src/server/redis.ts';

const { wecom, platform, redisUrl, stop } = await startBot();
const redis = createRedis(redisUrl);
afterAll(async () => {
  redis.disconnect();
  await stop();
});

test('300 callbacks of one person at once leave the others as they were, and Redis nearly idle', async () => {
  const asked = Promise.withResolvers<void>();
  const rights = Promise.withResolvers<Answer>();
  platform.script = ({ operation, user }) => {
    if (operation !== 'me' || user !== 'mallory') return undefined;
    asked.resolve();
    return rights.promise;
  };
  const answers: (string | null)[] = [];
  const say = async () => answers.push((await wecom.say('mallory', 'hi')).reply);
  const flood = [say()];
  await asked.promise;
  await redis.config('RESETSTAT');
  flood.push(...Array.from({ length: 299 }, say));
  const others = Promise.all(['zhangsan', 'lisi'].map((user) => wecom.say(user, 'hi')));
  for (const { reply } of await others) expect(reply).toContain('1 电商');
  // The flood is not through: its first six have no answer yet, the others were refused.
  await expect.poll(() => answers.length).toBe(294);
  expect(new Set(answers)).toEqual(new Set([sentences.tooFast]));
  const counted = (await redis.info('commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+)/g);
  const calls = Object.fromEntries([...counted].map(([, name, count]) => [name, Number(count)]));
  // One script for each message, and a few of those that wait: no look of theirs grows with the flood.
  expect(calls.evalsha).toBeLessThan(300 + 100);
  expect(calls.get).toBeLessThan(2 * 300 + 200);

  rights.resolve({ state: 'done', output: {} });
  await Promise.all(flood);
  expect(answers.slice(294).some((text) => text === sentences.tooFast)).toBe(false);
  expect(
    platform.calls.filter(({ operation, user }) => operation === 'me' && user === 'mallory').length,
  ).toBeLessThanOrEqual(6);
  expect((await wecom.say('mallory', 'hi')).reply).not.toBe(sentences.tooFast);
});
