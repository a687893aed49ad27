import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { sentences } from '../../src/chat/index.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { createRedis } from '../../src/server/redis.ts';

const { wecom, platform, push, redisUrl, stop } = await startBot();
const redis = createRedis(redisUrl);
afterAll(async () => {
  redis.disconnect();
  await stop();
});

/** On a busy machine WeCom's 5 s are soon over, and the bot's 4: how long it takes is not what is looked at here. */
const PATIENT = { attemptMs: 60_000 };
/** How long the bot waits for the platform, which lets a message wait here. */
const PLATFORM_MS = 10_000;
const reply = async (user: string) => (await wecom.say(user, 'hi', PATIENT)).reply;
/** What somebody reads in the end, in the reply or after it. */
async function read(user: string): Promise<string | null> {
  const said = await reply(user);
  if (said !== sentences.working) return said;
  await expect.poll(() => push.told(user)).toHaveLength(1);
  return push.told(user)[0] ?? null;
}

test('300 callbacks of one person at once leave the others as they were, and Redis nearly idle', async () => {
  const asked = Promise.withResolvers<void>();
  const rights = Promise.withResolvers<Answer>();
  platform.script = ({ operation, user }) => {
    if (operation !== 'me' || user !== 'mallory') return undefined;
    asked.resolve();
    return rights.promise;
  };
  const answers: (string | null)[] = [];
  const say = async () => answers.push(await reply('mallory'));
  const refused = () => answers.filter((text) => text === sentences.tooFast).length;
  const began = performance.now();
  const flood = [say()];
  await asked.promise;
  await redis.config('RESETSTAT');
  flood.push(...Array.from({ length: 299 }, say));
  for (const text of await Promise.all(['zhangsan', 'lisi'].map(read))) expect(text).toContain('1 电商');
  // The first six hear that their answer comes, the others were refused.
  await Promise.all(flood);
  // Where 300 callbacks take longer than the bot waits for the platform, six places have become free by then.
  const places = 6 + 6 * Math.floor((performance.now() - began) / PLATFORM_MS);
  expect(answers).toHaveLength(300);
  expect(refused()).toBeGreaterThanOrEqual(300 - places);
  const counted = (await redis.info('commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+)/g);
  const calls = Object.fromEntries([...counted].map(([, name, count]) => [name, Number(count)]));
  // One script for each message, and those of the few that wait, who look 36 times in all of their patience: nothing grows
  // with the flood.
  expect(calls.evalsha).toBeLessThan(300 + places * 40);
  expect(calls.get).toBeLessThan(2 * (300 + places * 40));

  rights.resolve({ state: 'done', output: {} });
  await expect.poll(async () => await reply('mallory')).not.toBe(sentences.tooFast);
  expect(
    platform.calls.filter(({ operation, user }) => operation === 'me' && user === 'mallory').length,
  ).toBeLessThanOrEqual(places + 1);
}, 120_000);
