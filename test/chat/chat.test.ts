import { afterAll, beforeEach, expect, test } from 'vitest';
import { nothingOwed } from '#test/owed.ts';
import { pause } from '#test/pause.ts';
import { startRedis } from '#test/redis.ts';
import { treeOf } from '#test/tree.ts';
import { wecomChannel as channel } from '#test/wecom-channel.ts';
import type { Incoming } from '../../src/channels/channel.ts';
import {
  type ChatParts,
  createChat,
  createSessionStore,
  type OwedAnswers,
  sentences,
} from '../../src/chat/index.ts';
import { action, folder, text } from '../../src/menu/index.ts';
import { type Context, Unavailable } from '../../src/menu/tree/context.ts';
import { createRedis } from '../../src/server/redis.ts';

const server = await startRedis();
const redis = createRedis(server.url);
const other = createRedis(server.url);
// One test stops the server.
for (const connection of [redis, other]) connection.on('error', () => {});
afterAll(async () => {
  redis.disconnect();
  other.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

/** Lets a test decide when an action is done. */
const gate: { release: (() => void) | undefined; runs: number } = { release: undefined, runs: 0 };
const slow = (): Promise<string> => {
  gate.runs += 1;
  return new Promise((resolve) => {
    gate.release = () => resolve('慢的结果');
  });
};

const tree = treeOf({
  'index.ts': folder({ title: '首页' }),
  '1-a/index.ts': folder({ title: '甲' }),
  '1-a/1-b/index.ts': folder({ title: '乙' }),
  '1-a/1-b/1-c.ts': action({ title: '丙', run: () => '到底了' }),
  '2-slow.ts': action({ title: '慢', run: slow }),
  '3-broken.ts': action({ title: '坏', run: () => Promise.reject(new Error('a bug')) }),
  '4-ask.ts': action({ title: '问', ask: { name: text('名字') }, run: () => 'ok' }),
});

const NOW = 1_767_225_600;
const release = (): void => gate.release?.();
const speaker = { channel, user: 'zhangsan', trace: 'E1234567-89ab' };
let ids = 0;
const message = (typed: string, parts: Partial<Incoming> = {}): Incoming => {
  ids += 1;
  return { ...speaker, msgId: `${ids}`, createdAt: NOW, text: typed, ...parts };
};

interface Options {
  readonly on?: typeof redis;
  readonly limit?: Promise<void>;
  readonly openContext?: ChatParts['openContext'];
  readonly owed?: Partial<OwedAnswers>;
  readonly after?: ChatParts['after'];
}

/** A replica. Its 4 s are over when `limit` says so. */
function replica({ on = redis, limit = new Promise(() => {}), openContext, owed, after }: Options = {}) {
  const delivered: string[] = [];
  const errors: unknown[] = [];
  const refusals: unknown[] = [];
  const parts: ChatParts = {
    store: createSessionStore(on),
    owed: { ...nothingOwed, ...owed },
    menu: () => tree,
    openContext:
      openContext ??
      (async () =>
        ({ user: 'zhangsan', now: NOW * 1000, replyBytes: 2048, may: () => true }) as unknown as Context),
    deliver: async (_, sent) => void delivered.push(sent),
    onError: (error) => void errors.push(error),
    onSession: () => {},
    onRefused: (_, refused) => void refusals.push(refused),
    now: () => NOW * 1000,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    after:
      after ??
      ((_, call) => {
        void limit.then(call);
        return () => {};
      }),
  };
  const chat = createChat(parts);
  const receive = async (incoming: Incoming) => (await chat.receive(incoming))?.text ?? null;
  return { ...chat, receive, delivered, errors, refusals };
}

test('a message shows the first screen, and the digits walk from there', async () => {
  const chat = replica();
  expect(await chat.receive(message('hi'))).toContain('1 甲');
  expect(await chat.receive(message('1'))).toContain('1 乙');
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('1');
});

test('a sentence instead of a screen looks like no choice', async () => {
  const openContext = () => Promise.reject(new Unavailable('没有\n1 确认'));
  expect(await replica({ openContext }).receive(message('hi'))).toBe('没有\n│ 1 确认');
});

test('the same MsgId again gets the finished reply and runs nothing', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  const one = message('1');
  const reply = await chat.receive(one);
  expect(await replica({ on: other }).receive(one)).toBe(reply);
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('1');
});

test('three messages of the same content are three steps, in order, over two replicas', async () => {
  const a = replica();
  const b = replica({ on: other });
  await a.receive(message('hi'));
  const replies = await Promise.all([
    a.receive(message('1')),
    b.receive(message('1')),
    a.receive(message('1')),
  ]);
  expect(replies.join('\n')).toContain('到底了');
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('1-1-1');
});

test('a digit typed ahead waits for the screen that the one before it brings', async () => {
  let over: () => void = () => {};
  const chat = replica({ limit: new Promise((resolve) => (over = resolve)) });
  await chat.receive(message('hi'));
  const slowReply = chat.receive(message('2'));
  await expect.poll(() => gate.release).toBeDefined();
  const next = replica({ on: other }).receive(message('0'));
  expect(await chat.receive({ ...message('x'), msgId: `${ids - 2}` })).toBeNull();
  release();
  expect(await slowReply).toContain('慢的结果');
  expect(await next).toContain('1 甲');
  over();
});

test('a repeat while the first still runs is answered by nothing', async () => {
  gate.release = undefined;
  const chat = replica();
  await chat.receive(message('hi'));
  const one = message('2');
  const before = gate.runs;
  const reply = chat.receive(one);
  await expect.poll(() => gate.release).toBeDefined();
  expect(await chat.receive(one)).toBeNull();
  expect(await replica({ on: other }).receive(one)).toBeNull();
  release();
  expect(await reply).toContain('慢的结果');
  expect(gate.runs).toBe(before + 1);
});

test('what is not ready in 4 s is answered at once and delivered later, once', async () => {
  gate.release = undefined;
  let over: () => void = () => {};
  const chat = replica({ limit: new Promise((resolve) => (over = resolve)) });
  await replica().receive(message('hi'));
  const one = message('2');
  const reply = chat.receive(one);
  await expect.poll(() => gate.release).toBeDefined();
  over();
  expect(await reply).toBe(sentences.working);
  expect(await chat.receive(one)).toBe(sentences.working);
  release();
  await chat.idle();
  expect(chat.delivered).toHaveLength(1);
  expect(chat.delivered[0]).toMatch(/^（回复 08:00 的“2”）\n慢\n慢的结果/);
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('2');
});

test('that an answer is open is noted before the time is over, and nothing is waited for after it', async () => {
  const timers = new Map<number, () => void>();
  const after: ChatParts['after'] = (ms, call) => {
    timers.set(ms, call);
    return () => {};
  };
  const noting = Promise.withResolvers<boolean>();
  let notes = 0;
  const note = () => {
    notes += 1;
    return noting.promise;
  };
  gate.release = undefined;
  await replica().receive(message('hi'));
  const chat = replica({ after, owed: { note } });
  const reply = chat.receive(message('2'));
  await expect.poll(() => gate.release).toBeDefined();
  timers.get(3500)?.();
  await expect.poll(() => notes).toBe(1);
  // As with a Redis that is dead: it takes all the time that it has.
  noting.resolve(false);
  timers.get(4000)?.();
  expect(await reply).toBe(sentences.workingAlone);
  expect(notes).toBe(1);
  release();
  await chat.idle();
});

test('a repeat is answered in time, also when it cannot be found out what became of the first delivery', async () => {
  gate.release = undefined;
  let over: () => void = () => {};
  await replica().receive(message('hi'));
  const one = message('2');
  const first = replica().receive(one);
  await expect.poll(() => gate.release).toBeDefined();
  const note = () => new Promise<never>(() => {});
  const limit = new Promise<void>((resolve) => (over = resolve));
  const repeat = replica({ on: other, limit, owed: { note } }).receive({ ...one, trace: 'again' });
  over();
  expect(await repeat).toBe(sentences.storeDown);
  release();
  expect(await first).toContain('慢的结果');
});

test('what is no promise counts as told once it is sent, whatever it says', async () => {
  const told: string[] = [];
  const chat = replica({ owed: { told: ({ msgId }) => void told.push(msgId) } });
  const [answered, promised] = [message('1'), message('2')];
  chat.sent({ text: sentences.working, receipts: [] }, answered);
  chat.sent({ text: '另一句话', receipts: [], isPromise: true }, promised);
  expect(told).toEqual([answered.msgId]);
});

test('a message older than 120 s does nothing and shows where one stands', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  const reply = await chat.receive(message('1', { createdAt: NOW - 121 }));
  expect(reply?.startsWith(`（回复 07:57 的“1”）\n${sentences.expired}`)).toBe(true);
  expect(chat.refusals).toEqual([{ kind: 'stale', at: '' }]);
  expect(reply).toContain('1 甲');
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('');
  expect(await chat.receive(message('1', { createdAt: NOW - 120 }))).toContain('1 乙');
});

test('# leaves also while the platform cannot say what its user may do, and nothing else does', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  const cutOff = replica({ openContext: () => Promise.reject(new Unavailable('平台连不上')) });
  expect(await cutOff.receive(message('1'))).toBe('平台连不上');
  expect(await cutOff.receive(message('#', { createdAt: NOW - 121 }))).toBe('平台连不上');
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('');
  for (const word of ['＃', '退出', 'exit', 'quit', '退出。']) {
    await chat.receive(message('hi'));
    expect(await cutOff.receive(message(word)), word).toContain('已退出');
    expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBeNull();
  }
});

test('what is not text is answered and changes nothing', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  expect(await chat.receive(message('', { text: undefined }))).toContain(sentences.onlyText);
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('');
});

test('without a session what is not text, and a text that is empty, show the first screen', async () => {
  for (const typed of [undefined, '']) {
    await redis.flushall();
    const chat = replica();
    const reply = await chat.receive(message('', { text: typed }));
    expect(reply).toContain('首页\n1 甲');
    expect(reply?.includes(sentences.onlyText)).toBe(typed === undefined);
    expect(await chat.receive(message('1'))).toContain('1 乙');
    expect(await chat.receive(message('', { text: typed }))).toContain('1 乙');
    expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('1');
  }
});

test('a message without a time does nothing, and is told so', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  const reply = await chat.receive(message('1', { createdAt: 0 }));
  expect(reply).toMatch(new RegExp(`^（回复“1”）\\n${sentences.expired}`));
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('');
});

test('a session whose keys are gone treats 1 as a first message', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  await chat.receive(message('1'));
  await redis.del('keypad:{1000002:zhangsan}:path');
  expect(await chat.receive(message('1'))).toContain('1 甲');
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('');
});

test('every key of a user has a time to live, also while someone waits', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  await chat.receive(message('4'));
  await createSessionStore(redis).enter({ ...speaker, msgId: 'left-hanging' });
  const keys = await redis.keys('*');
  expect(keys.length).toBeGreaterThanOrEqual(5);
  for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});

test('an accepted input renews the 600 s, a bad one does not', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  await redis.expire('keypad:{1000002:zhangsan}:path', 100);
  await chat.receive(message('99'));
  expect(await redis.ttl('keypad:{1000002:zhangsan}:path')).toBeLessThanOrEqual(100);
  await chat.receive(message('1'));
  expect(await redis.ttl('keypad:{1000002:zhangsan}:path')).toBeGreaterThan(590);
});

test('when the process that ran a message died, a repeat says so instead of nothing', async () => {
  const store = createSessionStore(redis);
  await store.enter({ ...speaker, msgId: 'crashed' });
  expect(await replica().receive(message('1', { msgId: 'crashed' }))).toBeNull();
  await redis.del('keypad:{1000002:zhangsan}:line'); // what the end of its lease comes to
  expect(await replica().receive(message('1', { msgId: 'crashed' }))).toBe(sentences.lost);
});

test('a place in the line whose owner died does not hold the others up', async () => {
  await redis.set('keypad:{1000002:zhangsan}:line', 'dead=1');
  expect(await replica().receive(message('hi'))).toContain('1 甲');
});

test('a bug is answered with its number, the log gets all of it, and the next message is served at once', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  expect(await chat.receive(message('3'))).toBe(sentences.failed('E1234567'));
  expect(chat.errors).toEqual([new Error('a bug')]);
  expect(await chat.receive(message('1'))).toContain('1 乙');
});

test('a turn that lost the race is taken again from the newer session', async () => {
  const store = createSessionStore(redis);
  const chat = replica();
  await chat.receive(message('hi'));
  const early = await store.enter({ ...speaker, msgId: 'early' });
  if (early.kind !== 'turn') throw new Error('it should have had the turn');
  await redis.del('keypad:{1000002:zhangsan}:line');
  await chat.receive(message('1'));
  const newer = await store.leave(
    { ...speaker, msgId: 'early' },
    { from: early.stored, session: null, reply: '' },
  );
  expect(newer).toMatchObject({ kind: 'conflict', newer: { session: { steps: [expect.anything()] } } });
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe('1');
});

test('without Redis a message is answered with a sentence', async () => {
  const down = createRedis('redis://127.0.0.1:1');
  down.on('error', () => {});
  expect(await replica({ on: down }).receive(message('hi'))).toBe(sentences.storeDown);
  down.disconnect();
});

test('a Redis that stands still is a sentence too, and when it goes on so does the chat', async () => {
  const chat = replica();
  await chat.receive(message('hi'));
  const resume = pause(server.process);
  expect(await chat.receive(message('1'))).toBe(sentences.storeDown);
  await resume();
  await expect.poll(() => chat.receive(message('hi')), { timeout: 10_000 }).toContain('1 甲');
});
