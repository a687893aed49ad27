import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { createRedis } from '../../src/server/redis.ts';

const running = await startBot();
const redis = createRedis(running.redisUrl);
afterAll(async () => {
  redis.disconnect();
  await running.stop();
});

/** Scripts that clients have asked for so far, and whatever else that no script of ours calls itself. */
async function sent(): Promise<number> {
  const stats = await redis.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const own = calls.filter(([, name]) => !CALLED_BY_SCRIPTS.has(name as string));
  return own.reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** And INFO, which is this test's own, and the bot's look for overdue confirmations, once a second for all users. */
const CALLED_BY_SCRIPTS = new Set(['time', 'get', 'mget', 'set', 'del', 'pttl', 'info', 'zrangebyscore']);

test('a message costs Redis two round trips, whatever it is', async () => {
  await running.wecom.say('zhangsan', 'hi');
  await running.wecom.say('zhangsan', '1');
  for (const line of ['1', '0', '99', '?', '1-1', 'x']) {
    const before = await sent();
    await running.wecom.say('zhangsan', line);
    expect((await sent()) - before, line).toBe(2);
  }
});
