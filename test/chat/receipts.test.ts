import { afterAll, beforeEach, expect, test } from 'vitest';
import { nothingOwed } from '#test/owed.ts';
import { startRedis } from '#test/redis.ts';
import { treeOf } from '#test/tree.ts';
import { wecomChannel as channel } from '#test/wecom-channel.ts';
import type { Incoming } from '../../src/channels/channel.ts';
import {
  type ChatParts,
  createChat,
  createSessionStore,
  type Outcome,
  sentences,
  Unavailable,
} from '../../src/chat/index.ts';
import { folder, operation } from '../../src/menu/index.ts';
import type { Context } from '../../src/menu/tree/context.ts';
import { createRedis } from '../../src/server/redis.ts';

const server = await startRedis();
const redis = createRedis(server.url);
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

const tree = treeOf({
  'index.ts': folder({ title: '首页' }),
  '1-change.ts': operation({ title: '改', runs: 'x' as never, input: () => ({}) as never }),
});

const NOW = 1_767_225_600;
const speaker = { channel, user: 'zhangsan' };
const store = createSessionStore(redis);
let ids = 0;
const message = (text: string): Incoming => {
  ids += 1;
  return { ...speaker, msgId: `${ids}`, createdAt: NOW, text, trace: 'E1234567-89ab' };
};

/** A replica whose confirmed changes end as `run` says; its reply goes out without them when `limit` is over. */
function replica(
  run: (incoming: Incoming) => Promise<Outcome>,
  limit: Promise<void> = new Promise(() => {}),
  enter = store.enter,
) {
  const delivered: string[] = [];
  const parts: ChatParts = {
    store: { ...store, enter },
    owed: nothingOwed,
    menu: () => tree,
    openContext: async (incoming) =>
      ({
        user: 'zhangsan',
        now: NOW * 1000,
        replyBytes: 2048,
        may: () => true,
        preview: async () => ({ id: 'one', hash: 'h', lines: ['一变'], expiresAt: NOW * 1000 + 1 }),
        run: () => run(incoming),
      }) as unknown as Context,
    deliver: async (_, text) => void delivered.push(text),
    onError: () => {},
    onSession: () => {},
    onRefused: () => {},
    now: () => NOW * 1000,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    after: (_, call) => {
      void limit.then(call);
      return () => {};
    },
  };
  return { ...createChat(parts), delivered };
}
const done = async (): Promise<Outcome> => ({ text: '一变了', receipts: ['one'] });
const begin = async (chat: ReturnType<typeof replica>): Promise<void> => {
  for (const text of ['hi', '1']) await chat.receive(message(text));
};
/** Confirms and leaves the message as a process leaves it that is killed then. */
async function killed(isMarked: boolean): Promise<Incoming> {
  const confirmed = message('1');
  await store.enter(confirmed);
  if (isMarked) await store.markConfirmed(confirmed, 'one');
  await redis.del('keypad:{1000002:zhangsan}:line'); // what the end of its lease comes to
  return confirmed;
}

test('a reply has the receipts of what it tells, and its repeats have the same', async () => {
  const chat = replica(done);
  await begin(chat);
  const confirmed = message('1');
  const reply = await chat.receive(confirmed);
  expect(reply).toEqual({ text: expect.stringContaining('一变了'), receipts: ['one'] });
  expect(await chat.receive(confirmed)).toEqual(reply);
  expect((await chat.receive(message('?')))?.receipts).toEqual([]);
});

test('an outcome that comes after the reply is left to the platform: not sent from here, and without a receipt', async () => {
  const limit = Promise.withResolvers<void>();
  const end = Promise.withResolvers<Outcome>();
  const chat = replica(() => end.promise, limit.promise);
  await begin(replica(done));
  const confirmed = message('1');
  const reply = chat.receive(confirmed);
  limit.resolve();
  expect(await reply).toEqual({ text: sentences.working, receipts: [], isPromise: true });
  end.resolve(await done());
  await chat.idle();
  expect(chat.delivered).toEqual([]);
  expect(await chat.receive(confirmed)).toEqual({ text: sentences.working, receipts: [], isPromise: true });
});

test('what comes late and tells no outcome is sent from here', async () => {
  const limit = Promise.withResolvers<void>();
  const end = Promise.withResolvers<Outcome>();
  const chat = replica(() => end.promise, limit.promise);
  await begin(replica(done));
  const reply = chat.receive(message('1'));
  limit.resolve();
  await reply;
  end.resolve({ text: '已提交' });
  await chat.idle();
  expect(chat.delivered).toEqual([expect.stringContaining('已提交')]);
});

test('after a crash a repeat of a confirmed message says that its outcome follows, and offers nothing to repeat', async () => {
  const chat = replica(done);
  await begin(chat);
  expect(await chat.receive(await killed(true))).toEqual({ text: sentences.confirmationLost, receipts: [] });
  expect(sentences.confirmationLost).toMatch(/结果查清后会告诉你，请不要重复操作/);
  expect(sentences.confirmationLost).not.toContain('再发');
});

test('after a crash a repeat of a message with which nothing was confirmed may be sent again', async () => {
  const chat = replica(done);
  await begin(chat);
  expect((await chat.receive(await killed(false)))?.text).toBe(sentences.lost);
  const refused = await killed(true);
  await store.markConfirmed(refused, null);
  expect((await chat.receive(refused))?.text).toBe(sentences.lost);
});

test.each([
  ['before a confirmation was sent', new Unavailable('暂时连不上'), '暂时连不上'],
  ['after a confirmation was sent', new Error('a bug'), '结果查清后会告诉你，请不要重复操作'],
])('an error %s says what to do', async (_when, error, sentence) => {
  const chat = replica(() => Promise.reject(error));
  await begin(chat);
  expect((await chat.receive(message('1')))?.text).toContain(sentence);
});

test('a repeat that Redis does not answer takes nothing from the delivery that runs, and denies nothing', async () => {
  const end = Promise.withResolvers<Outcome>();
  let runs = 0;
  const chat = replica(() => {
    runs += 1;
    return end.promise;
  });
  await begin(chat);
  const confirmed = message('1');
  const first = chat.receive(confirmed);
  await expect.poll(() => runs).toBe(1);
  const cutOff = replica(done, undefined, () => Promise.reject(new Error('no answer')));
  const repeat = await cutOff.receive({ ...confirmed, trace: 'a repeat' });
  expect(repeat?.text).toBe(sentences.storeDown);
  expect(sentences.storeDown).toContain('请不要重复，已经执行的会把结果告诉你');
  expect(sentences.storeDown).not.toContain('没有执行');
  expect(await store.look(confirmed)).toMatchObject({ reply: '' });
  expect(await chat.receive({ ...confirmed, trace: 'a third one' })).toBeNull();
  end.resolve(await done());
  const reply = await first;
  expect(reply?.receipts).toEqual(['one']);
  expect(await chat.receive(confirmed)).toEqual(reply);
});

test('a message that was claimed although Redis gave no answer is let go, and may be sent again', async () => {
  const chat = replica(done);
  await begin(chat);
  const unheard = replica(done, undefined, async (incoming) => {
    await store.enter(incoming);
    throw new Error('no answer');
  });
  const lost = message('1');
  expect((await unheard.receive(lost))?.text).toBe(sentences.storeDown);
  await expect.poll(async () => (await chat.receive(lost))?.text).toBe(sentences.lost);
  expect((await chat.receive(message('1')))?.text).toContain('一变了');
});

test('an error without a confirmation says that nothing was changed, and to whom its number goes', () => {
  expect(sentences.failed('E1234567')).toMatch(/编号 E1234567。没有执行任何操作，.*把编号发给运维负责人/);
  expect(sentences.failedAfterConfirmation('E1234567')).toMatch(/编号 E1234567。.*把编号发给运维负责人/);
});

test('every mark has a time to live', async () => {
  await begin(replica(done));
  const confirmed = message('1');
  await store.markConfirmed(confirmed, 'one');
  await replica(done).receive(confirmed);
  for (const key of await redis.keys('*')) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});
