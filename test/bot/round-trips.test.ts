import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { createRedis } from '../../src/server/redis.ts';

const running = await startBot();
const redis = createRedis(running.redisUrl);
const monitor = await redis.monitor();
/** Every command that a client has sent, in order; what a script calls inside Redis is no round trip. */
const commands: string[][] = [];
monitor.on('monitor', (_time: string, args: string[], source: string) => {
  if (source !== 'lua') commands.push(args);
});
afterAll(async () => {
  monitor.disconnect();
  redis.disconnect();
  await running.stop();
});

/** The bot's look for overdue confirmations, for all users; no message is waiting for it. */
const IN_THE_BACKGROUND = ['zrangebyscore'];

/** The names of the commands that were sent since the last call, in order. */
async function sentSince(): Promise<readonly string[]> {
  const marker = randomUUID();
  await redis.echo(marker);
  await expect.poll(() => commands.some((args) => args[1] === marker)).toBe(true);
  return commands
    .splice(0)
    .map(([name = '']) => name.toLowerCase())
    .filter((name) => name !== 'echo' && !IN_THE_BACKGROUND.includes(name));
}

test('a message costs Redis two round trips, whatever it is', async () => {
  await running.wecom.say('zhangsan', 'hi');
  await running.wecom.say('zhangsan', '1');
  for (const line of ['1', '0', '99', '?', '1-1', 'x']) {
    await sentSince();
    await running.wecom.say('zhangsan', line);
    expect(await sentSince(), line).toEqual(['evalsha', 'evalsha']);
  }
});
