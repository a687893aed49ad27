import { afterAll, beforeEach, expect, test } from 'vitest';
import { nothingOwed } from '#test/owed.ts';
import { pause } from '#test/pause.ts';
import { startRedis } from '#test/redis.ts';
import { treeOf } from '#test/tree.ts';
import { wecomChannel as channel } from '#test/wecom-channel.ts';
import type { Incoming } from '../../src/channels/channel.ts';
import { type ChatParts, createChat, createSessionStore, sentences } from '../../src/chat/index.ts';
import { action, folder } from '../../src/menu/index.ts';
import type { Context } from '../../src/menu/tree/context.ts';
import { createRedis } from '../../src/server/redis.ts';

const server = await startRedis();
const redis = createRedis(server.url);
redis.on('error', () => {});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  await redis.config('RESETSTAT');
});

/** What the entry "2" waits for, and how often each entry ran. */
let held = Promise.withResolvers<void>();
let ran: string[] = [];
beforeEach(() => {
  held = Promise.withResolvers();
  ran = [];
});
const tree = treeOf({
  'index.ts': folder({ title: '首页' }),
  '1-count.ts': action({ title: '数', run: () => `第 ${ran.push('1')} 次` }),
  '2-slow.ts': action({
    title: '慢',
    run: async () => {
      ran.push('2');
      await held.promise;
      return '慢的结果';
    },
  }),
});

const NOW = 1_767_225_600;
let ids = 0;
const message = (text: string, user = 'zhangsan'): Incoming => {
  ids += 1;
  return { channel, user, trace: `trace-${ids}`, msgId: `${ids}`, createdAt: NOW, text };
};

/** A replica whose clock goes on only while somebody sleeps, by `sleepTakes` more than was asked for. */
function replica({ sleepTakes = 0, ...more }: Partial<ChatParts> & { readonly sleepTakes?: number } = {}) {
  let now = NOW * 1000;
  const refused: string[] = [];
  const chat = createChat({
    store: createSessionStore(redis),
    owed: nothingOwed,
    menu: () => tree,
    openContext: async ({ user }) =>
      ({ user, now: NOW * 1000, replyBytes: 2048, may: () => true }) as unknown as Context,
    deliver: async () => {},
    onError: () => {},
    onSession: () => {},
    onRefused: ({ user }, { kind }) => void refused.push(`${user}: ${kind}`),
    now: () => now,
    sleep: async (ms) => {
      now += ms + sleepTakes;
      await new Promise(setImmediate);
    },
    after: () => () => {},
    ...more,
  });
  const say = async (incoming: Incoming) => (await chat.receive(incoming))?.text ?? null;
  return { ...chat, say, refused, elapsed: () => now - NOW * 1000 };
}

/** How often a script was run since the beginning of the test. */
async function scripts(): Promise<number> {
  const counted = (await redis.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g);
  return [...counted].reduce((sum, [, count]) => sum + Number(count), 0);
}
/** Never over: who sleeps like this has to be called. */
const asleep = () => new Promise<void>(() => {});
/** The holder of the turn is at work. */
const isHeld = () => expect.poll(() => ran).toContain('2');

test('of 300 messages at once six have a place, the others are answered at once and never run', async () => {
  const [one, two] = [replica({ sleep: asleep }), replica({ sleep: asleep })];
  await one.say(message('hi'));
  const first = one.say(message('2'));
  await isHeld();
  const flood = Array.from({ length: 300 }, () => message('1'));
  const answers = new Map<Incoming, string | null>();
  const said = flood.map(async (each, i) => answers.set(each, await (i % 2 ? two : one).say(each)));
  // All but the five that wait have their answer while the first still runs.
  await expect.poll(() => answers.size).toBe(295);
  expect(new Set(answers.values())).toEqual(new Set([sentences.tooFast]));
  expect([...one.refused, ...two.refused]).toEqual(Array(295).fill('zhangsan: many'));
  // So has everybody else.
  expect(await one.say(message('hi', 'lisi'))).toContain('1 数');

  const tooMany = [...answers.keys()];
  held.resolve();
  expect(await first).toContain('慢的结果');
  // Those of the same replica are called one after the other; of the other one nobody is, whose patience is not over.
  await expect.poll(() => answers.size).toBeGreaterThan(295);
  void said;
  const before = ran.length;
  for (const each of tooMany.slice(0, 20)) expect(await two.say(each)).toBe(sentences.tooFast);
  expect(ran.length).toBe(before);
});

test('who waits in the process of the one before is called, and asks Redis once', async () => {
  const chat = replica({ sleep: asleep });
  await chat.say(message('hi'));
  const first = chat.say(message('2'));
  await isHeld();
  const others = ['0', '1', '0', '1', '0'].map((text) => chat.say(message(text)));
  await expect.poll(scripts).toBe(2 + 1 + 5);
  held.resolve();
  expect(await first).toContain('慢的结果');
  const texts = await Promise.all(others);
  expect(texts.map((text) => /第 . 次/.exec(text ?? '')?.[0])).toEqual([
    undefined,
    '第 2 次',
    undefined,
    '第 3 次',
    undefined,
  ]);
  // Each of the five enters, asks once and leaves; the first leaves.
  expect(await scripts()).toBe(2 + 2 + 5 * 3);
});

test('who waits for another replica asks at most 35 times in all of its patience', async () => {
  const [one, two] = [replica({ sleep: asleep }), replica()];
  await one.say(message('hi'));
  const first = one.say(message('2'));
  await isHeld();
  const before = await scripts();
  expect(await two.say(message('1'))).toBe(sentences.busy);
  const asked = (await scripts()) - before - 2;
  expect(asked).toBeGreaterThan(20);
  expect(asked).toBeLessThanOrEqual(35);
  expect(two.elapsed()).toBeGreaterThanOrEqual(12_000);
  expect(two.elapsed()).toBeLessThan(12_500);
  held.resolve();
  await first;
  expect(ran).toEqual(['2']);
});

test('the patience is a time, however long each look takes', async () => {
  const [one, two] = [replica({ sleep: asleep }), replica({ sleepTakes: 4000 })];
  await one.say(message('hi'));
  const first = one.say(message('2'));
  await isHeld();
  expect(await two.say(message('1'))).toBe(sentences.busy);
  expect(two.elapsed()).toBeLessThan(12_000 + 4_400);
  held.resolve();
  await first;
});

test('of 1,000 repeats at once each costs one command, and they note the open answer once', async () => {
  const noted: string[] = [];
  const owed = { ...nothingOwed, note: async ({ msgId }: Incoming) => noted.push(msgId) > 0 };
  const chat = replica({ sleep: asleep, owed });
  await chat.say(message('hi'));
  const one = message('2');
  const first = chat.say(one);
  await isHeld();
  const before = await scripts();
  const repeats = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => chat.say({ ...one, trace: `repeat-${i}` })),
  );
  expect(new Set(repeats)).toEqual(new Set([null]));
  // One more looks whether the first has ended meanwhile.
  expect((await scripts()) - before).toBeLessThanOrEqual(1000 + 10);
  expect(noted.length).toBeLessThanOrEqual(10);
  // What is kept of them does not grow either.
  expect(await redis.get(`keypad:{1000002:zhangsan}:owner:${one.msgId}`)).toBe(`${one.trace}+`);
  held.resolve();
  expect(await first).toContain('慢的结果');
  expect(ran).toEqual(['2']);
});

test('a message refused while Redis stands still is no claim, and afterwards everything is as before', async () => {
  const chat = replica({ sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
  await chat.say(message('hi'));
  const resume = pause(server.process);
  const flood = Array.from({ length: 100 }, () => chat.say(message('1')));
  expect(new Set(await Promise.all(flood))).toEqual(new Set([sentences.storeDown]));
  await resume();
  await expect.poll(() => chat.say(message('hi'))).toContain('1 数');
});
