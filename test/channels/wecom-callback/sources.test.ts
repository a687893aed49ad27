import { afterAll, beforeEach, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import { openCallbackSources } from '../../../src/channels/wecom-callback/sources.ts';
import { createRedis } from '../../../src/server/redis.ts';

const server = await startRedis();
const redis = createRedis(server.url);
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

const clock = { now: 1_767_225_600_000 };
const DAY = 86_400_000;

/** What WeCom answers next; null is no answer. */
function open(cidrs: readonly string[], answers: (readonly string[] | null)[], wecom = true) {
  const errors: unknown[] = [];
  const sources = openCallbackSources({
    allowed: { wecom, cidrs },
    redis,
    corpId: 'ww1',
    askWeCom: async () => {
      const answer = answers.shift();
      if (!answer) throw new Error('no answer');
      return answer;
    },
    onError: (error) => void errors.push(error),
    now: () => clock.now,
  });
  return sources.then((opened) => ({ ...opened, errors }));
}

test('the word wecom stands for what WeCom says, beside the fixed networks', async () => {
  const sources = await open(['10.0.0.0/8'], [['101.226.103.0/24', '1.2.3.4/32']]);
  const allowed = ['101.226.103.77', '1.2.3.4', '10.9.9.9', '::ffff:10.9.9.9'];
  for (const address of allowed) expect(sources.allows(address), address).toBe(true);
  for (const address of ['101.226.104.1', '1.2.3.5', '11.0.0.1', '', 'x'])
    expect(sources.allows(address), address).toBe(false);
});

test('without the word WeCom is not asked', async () => {
  const sources = await open(['10.0.0.0/8'], [], false);
  expect(sources.errors).toEqual([]);
  expect(sources.allows('101.226.103.77')).toBe(false);
});

test('while Tencent changes its addresses, old and new coexist for a week', async () => {
  const sources = await open([], [['1.1.1.1/32'], ['2.2.2.2/32'], ['2.2.2.2/32']]);
  clock.now += DAY;
  await sources.keepFresh();
  expect([sources.allows('1.1.1.1'), sources.allows('2.2.2.2')]).toEqual([true, true]);
  clock.now += 8 * DAY;
  await sources.keepFresh();
  expect([sources.allows('1.1.1.1'), sources.allows('2.2.2.2')]).toEqual([false, true]);
});

test('the last good list serves when WeCom does not answer, also after a restart', async () => {
  await open([], [['1.1.1.1/32']]);
  const restarted = await open([], [null]);
  expect(restarted.allows('1.1.1.1')).toBe(true);
});

test('nothing is said of an answer that does not come at once, and once a minute has passed without one it is', async () => {
  const sources = await open([], [null, null, ['1.1.1.1/32'], null, null, null]);
  const look = async (seconds: number): Promise<number> => {
    clock.now += seconds * 1000;
    await sources.keepFresh();
    return sources.errors.length;
  };
  // All roles start at once; later a rolling update of message delivery falls upon the time to ask.
  expect([await look(59), await look(1), await look(DAY / 1000)]).toEqual([0, 0, 0]);
  expect([await look(59), await look(1)]).toEqual([0, 1]);
});

test('the list is asked for a day after a good answer, and as soon as it can be after none', async () => {
  const answers: (readonly string[] | null)[] = [null, ['1.1.1.1/32'], ['2.2.2.2/32']];
  const sources = await open([], answers);
  await sources.keepFresh();
  expect(sources.allows('1.1.1.1')).toBe(true);
  clock.now += DAY - 1;
  await sources.keepFresh();
  expect(sources.allows('2.2.2.2')).toBe(false);
  clock.now += 1;
  await sources.keepFresh();
  expect(sources.allows('2.2.2.2')).toBe(true);
});

test('an empty answer does not lock WeCom out', async () => {
  const sources = await open([], [['1.1.1.1/32'], []]);
  clock.now += DAY;
  await sources.keepFresh();
  expect(sources.allows('1.1.1.1')).toBe(true);
  expect(sources.errors).toHaveLength(1);
});

test('the list in Redis has a time to live', async () => {
  await open([], [['1.1.1.1/32']]);
  expect(await redis.ttl('keypad:wecom:{ww1}:callback-ranges')).toBeGreaterThan(0);
});
