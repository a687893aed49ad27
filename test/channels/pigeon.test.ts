import { afterAll, expect, test } from 'vitest';
import { nothingOwed } from '#test/owed.ts';
import { startRedis } from '#test/redis.ts';
import { treeOf } from '#test/tree.ts';
import { createWeComChannel } from '../../src/channels/wecom-callback/channel.ts';
import { createChat, createSessionStore, sentences, Unavailable } from '../../src/chat/index.ts';
import { action, folder } from '../../src/menu/index.ts';
import type { Context } from '../../src/menu/tree/context.ts';
import { createRedis } from '../../src/server/redis.ts';
import { createPigeon } from './pigeon.ts';

const server = await startRedis();
const redis = createRedis(server.url);
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const LONG = Array.from({ length: 60 }, (_, i) => `第 ${i} 行：一段足够长的文字`);
let finish: (text: string) => void = () => {};
const tree = treeOf({
  'index.ts': folder({ title: '首页' }),
  '1-long.ts': action({ title: '长', run: async () => LONG.join('\n') }),
  '2-slow.ts': action({
    title: '慢',
    run: () =>
      new Promise<string>((resolve) => {
        finish = resolve;
      }),
  }),
});

const NOW = 1_767_225_600;
const platform: { says: string | undefined } = { says: undefined };
const limits: { readonly ms: number; readonly call: () => void }[] = [];
const chat = createChat({
  store: createSessionStore(redis),
  owed: nothingOwed,
  menu: () => tree,
  async openContext({ channel, user }) {
    if (platform.says !== undefined) throw new Unavailable(platform.says);
    return { user, now: NOW * 1000, replyBytes: channel.replyBytes, may: () => true } as unknown as Context;
  },
  deliver: (incoming, text) => incoming.channel.tellLate(incoming, text),
  onError: (error) => {
    throw error;
  },
  onSession: () => {},
  onRefused() {},
  now: () => NOW * 1000,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  after(ms, call) {
    limits.push({ ms, call });
    return () => {};
  },
});

const pigeon = createPigeon();
const say = async (user: string, text: string, createdAt = NOW) => {
  const reply = (await chat.receive(pigeon.message(user, text, createdAt)))?.text ?? '';
  expect(Buffer.byteLength(reply)).toBeLessThanOrEqual(500);
  return reply;
};

test('a text goes out in pages of the bytes that the channel carries, and nothing of it is lost', async () => {
  await say('Anna', 'hi');
  const pages = [await say('Anna', '1')];
  while (pages.at(-1)?.includes('n 下一页')) pages.push(await say('Anna', 'n'));
  expect(pages.length).toBeGreaterThan(3);
  for (const line of LONG) expect(pages.join('\n')).toContain(line);
});

test('whatever a channel says, no message has an effect that could come again when its claim is gone', async () => {
  const endless = createPigeon({ freshMs: 1e12 });
  const hear = async (createdAt: number) =>
    (await chat.receive(endless.message('carla', 'hi', createdAt)))?.text ?? '';
  for (const away of [-250, 250]) expect(await hear(NOW + away)).toContain('没有执行任何操作');
  const [path, claim] = [await redis.keys('*carla:path'), (await redis.keys('*carla*')).at(-1)];
  expect(path).toEqual([]);
  expect(await hear(NOW + 240)).toContain('1 长');
  // It could be taken until 240 s after its time, which is 480 s from now.
  expect(await redis.ttl(claim as string)).toBeGreaterThan(480);
});

test('a reply that takes longer than the channel waits comes by the channel, to its user', async () => {
  await say('bert', 'hi');
  const before = limits.length;
  const reply = say('bert', '2');
  await expect.poll(() => limits.length).toBe(before + 2);
  // It is noted half a second before its time that the answer is open.
  expect(limits.slice(before).map(({ ms }) => ms)).toEqual([500, 1000]);
  for (const { call } of limits.slice(before)) call();
  expect(await reply).toBe(sentences.working);
  finish(['慢的结果', ...LONG].join('\n'));
  await chat.idle();
  expect(pigeon.sent).toEqual([{ user: 'bert', text: expect.stringContaining('慢的结果') }]);
  expect(Buffer.byteLength(pigeon.sent[0]?.text ?? '')).toBeLessThanOrEqual(500);
});

test('what the platform says instead of a screen is cut to the bytes of the channel, and kept so for repeats', async () => {
  platform.says = '平台连不上。'.repeat(100);
  const message = pigeon.message('ella', 'hi', NOW);
  const reply = await chat.receive(message);
  expect(reply?.text).toMatch(/^(平台连不上。)+.*…$/);
  expect(Buffer.byteLength(reply?.text ?? '')).toBeLessThanOrEqual(500);
  expect(await createSessionStore(redis).look(message)).toMatchObject({ reply: reply?.text });
  platform.says = undefined;
});

test('a message older than the channel allows does nothing', async () => {
  await say('carl', 'hi');
  expect(await say('carl', '1', NOW - 31)).toContain(sentences.expired);
  expect(await say('carl', '1', NOW - 29)).toContain(LONG[0]);
});

test('users of one name in two channels, or whose names differ by capitals, are apart', async () => {
  const app = createWeComChannel({ ...pigeon, account: 'default', agentId: 1_000_002 });
  const shop = createWeComChannel({ ...pigeon, account: 'shop', agentId: 1_000_002 });
  await redis.flushall();
  await say('dora', 'hi');
  expect(await say('Dora', '1')).toContain('1 长');
  for (const channel of [app, shop]) {
    const message = { ...pigeon.message('dora', '1', NOW), channel };
    expect((await chat.receive(message))?.text).toContain('1 长');
  }
  expect(await say('dora', '1')).toContain(LONG[0]);
  expect((await redis.keys('*:state')).sort()).toEqual([
    'keypad:{1000002:dora}:state',
    'keypad:{pigeon/loft:Dora}:state',
    'keypad:{pigeon/loft:dora}:state',
    'keypad:{wecom-callback/shop:dora}:state',
  ]);
});
