import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { pause } from '#test/pause.ts';
import { startRedis } from '#test/redis.ts';
import { treeOf } from '#test/tree.ts';
import { wecomChannel as channel } from '#test/wecom-channel.ts';
import { openAnswers } from '../../src/bot/open-answers.ts';
import { startOwedAnswers } from '../../src/bot/owed-answers.ts';
import type { Incoming } from '../../src/channels/channel.ts';
import { createChat, createSessionStore, type Outcome, sentences } from '../../src/chat/index.ts';
import { action, folder, operation } from '../../src/menu/index.ts';
import type { Context } from '../../src/menu/tree/context.ts';
import { createRedis } from '../../src/server/redis.ts';

/**
 * Replicas that share a Redis and die: what they were at is told by another one, once and as it is. A dead replica here
 * is one that renews no lease, and whose messages stand still for ever.
 */

const server = await startRedis();
const redis = createRedis(server.url);
redis.on('error', () => {});
const store = createSessionStore(redis);
let stops: (() => unknown)[] = [];
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const LEASE_MS = 400;
const NOW = Math.floor(Date.now() / 60_000) * 60;
const never = new Promise<never>(() => {});
let told: string[] = [];
beforeEach(async () => {
  told = [];
  await redis.flushall();
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

interface Options {
  readonly read?: () => Promise<string>;
  readonly change?: () => Promise<Outcome>;
  /** Its 4 s are over when this says so. */
  readonly limit?: Promise<void>;
  /** Stands between it and message delivery. */
  readonly push?: () => Promise<void>;
  /** Happens when the message is claimed and before its turn. */
  readonly opening?: (incoming: Incoming) => Promise<void>;
  readonly leaseMs?: number;
  readonly now?: () => number;
}

/** A replica with a connection of its own. */
function replica(options: Options = {}) {
  const {
    read = () => never,
    change = () => never,
    limit = never,
    leaseMs = LEASE_MS,
    now = Date.now,
    push,
    opening,
  } = options;
  const own = createRedis(server.url);
  own.on('error', () => {});
  const ownStore = createSessionStore(own);
  const tellLate = async (_: unknown, text: string) => {
    await push?.();
    told.push(text);
  };
  const owed = startOwedAnswers({
    open: openAnswers(own, 'test', leaseMs),
    store: ownStore,
    channelOf: () => ({ ...channel, tellLate }),
    leaseMs,
    everyMs: 50,
    now,
    onError: () => {},
  });
  const tree = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-read.ts': action({ title: '读', run: read }),
    '2-change.ts': operation({ title: '改', runs: 'x' as never, input: () => ({}) as never }),
  });
  const chat = createChat({
    store: ownStore,
    owed,
    menu: () => tree,
    openContext: async (incoming) => {
      await opening?.(incoming);
      return {
        user: 'zhangsan',
        now: Date.now(),
        replyBytes: 2048,
        may: () => true,
        preview: async () => ({ id: 'one', hash: 'h', lines: ['一变'], expiresAt: Date.now() + 60_000 }),
        async run() {
          if (!(await ownStore.markConfirmed(incoming, 'one'))) throw new Error('taken for dead');
          return change();
        },
      } as unknown as Context;
    },
    deliver: tellLate,
    onError: () => {},
    onSession: () => {},
    onRefused: () => {},
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    after: (_, call) => {
      void limit.then(call);
      return () => {};
    },
  });
  const kill = async () => {
    await owed.stop();
    own.disconnect();
  };
  stops.push(kill);
  /** Receives a message and puts the reply on the wire. */
  const say = async (incoming: Incoming): Promise<string | null> => {
    const reply = await chat.receive(incoming);
    if (reply !== null) chat.sent(reply, incoming);
    return reply?.text ?? null;
  };
  return { ...chat, say, kill };
}

let ids = 0;
const message = (text: string): Incoming => {
  ids += 1;
  return { channel, user: 'zhangsan', msgId: `${ids}`, createdAt: NOW, text, trace: `delivery-${ids}` };
};
/** What stands in between may have stamped it anew. */
const repeatOf = (incoming: Incoming): Incoming => ({
  ...incoming,
  createdAt: incoming.createdAt + 1,
  trace: `${incoming.trace}-repeat`,
});
/** Brings the user to where `1` reads, or to where it confirms. */
const stand = async (where: 'to read' | 'to confirm'): Promise<void> => {
  const chat = replica();
  await chat.say(message('#'));
  await chat.say(message('hi'));
  if (where === 'to confirm') await chat.say(message('2'));
  await chat.kill();
};
const isNoted = () => redis.exists('keypad:{test}:answers');
const replyOf = (incoming: Incoming) => async () => (await store.look(incoming)).reply;
const over = Promise.resolve();
const about = (incoming: Incoming, text: string) => `${sentences.answerTo(NOW, incoming.text)}\n${text}`;

test.each([
  ['to read', sentences.lost],
  ['to confirm', sentences.confirmationLost],
] as const)(
  'what was promised to somebody who went %s outlives the replica that promised it',
  async (where, truth) => {
    await stand(where);
    const dying = replica({ limit: over });
    const promised = message('1');
    expect(await dying.say(promised)).toBe(sentences.working);
    await dying.kill();
    const others = [replica(), replica()];
    await expect.poll(() => told).toEqual([about(promised, truth)]);
    await expect.poll(isNoted).toBe(0);
    expect(await others[0]?.say(repeatOf(promised))).toBe(truth);
    expect(told).toHaveLength(1);
  },
);

test.each([
  ['to read', sentences.lost],
  ['to confirm', sentences.confirmationLost],
] as const)(
  'a first delivery that died with somebody who went %s is told to who got nothing for the repeat',
  async (where, truth) => {
    await stand(where);
    const dying = replica();
    const claimed = message('1');
    void dying.say(claimed);
    await expect.poll(replyOf(claimed)).toBe('');
    const other = replica();
    expect(await other.say(repeatOf(claimed))).toBeNull();
    await Promise.all([dying.kill(), other.kill()]);
    replica();
    await expect.poll(() => told).toEqual([about(claimed, truth)]);
  },
);

test('what took longer than a moment is told also when no repeat of it ever comes', async () => {
  await stand('to read');
  const dying = replica();
  const claimed = message('1');
  void dying.say(claimed);
  await expect.poll(isNoted).toBe(1);
  await dying.kill();
  replica();
  await expect.poll(() => told).toEqual([about(claimed, sentences.lost)]);
});

test('a late answer that was finished and not handed over is told as it is', async () => {
  await stand('to read');
  const end = Promise.withResolvers<string>();
  const dying = replica({ read: () => end.promise, limit: over, push: () => never });
  const late = message('1');
  expect(await dying.say(late)).toBe(sentences.working);
  end.resolve('读到了');
  await expect.poll(replyOf(late)).toContain('读到了');
  await dying.kill();
  replica();
  await expect.poll(() => told).toEqual([about(late, (await replyOf(late)()) ?? '')]);
});

test('an answer that was finished and put on no wire is told as it is, one that tells an outcome by the platform', async () => {
  for (const receipts of [[], ['one']]) {
    await stand('to confirm');
    const end = Promise.withResolvers<Outcome>();
    const dying = replica({ change: () => end.promise });
    const confirmed = message('1');
    const reply = dying.receive(confirmed);
    await expect.poll(replyOf(confirmed)).toBe('');
    const other = replica();
    expect(await other.say(repeatOf(confirmed))).toBeNull();
    end.resolve({ text: '一变了', receipts });
    expect((await reply)?.text).toContain('一变了');
    await dying.kill();
    await expect.poll(isNoted).toBe(0);
    expect(told.splice(0)).toEqual(receipts.length > 0 ? [] : [expect.stringContaining('一变了')]);
    await other.kill();
  }
});

test('an answer that was read is not told again, although a repeat got nothing meanwhile', async () => {
  await stand('to read');
  const end = Promise.withResolvers<string>();
  const living = replica({ read: () => end.promise });
  const read = message('1');
  const reply = living.say(read);
  await expect.poll(replyOf(read)).toBe('');
  expect(await living.say(repeatOf(read))).toBeNull();
  end.resolve('读到了');
  await reply;
  await expect.poll(isNoted).toBe(0);
  expect(told).toEqual([]);
});

test('a replica that lives keeps what it works on, however long that takes, and its answer comes once', async () => {
  await stand('to read');
  const end = Promise.withResolvers<string>();
  const living = replica({ read: () => end.promise, limit: over, leaseMs: 1000 });
  const slow = message('1');
  expect(await living.say(slow)).toBe(sentences.working);
  replica({ leaseMs: 1000 });
  await sleep(1500);
  expect(told).toEqual([]);
  end.resolve('读到了');
  await living.idle();
  await expect.poll(isNoted).toBe(0);
  expect(told).toEqual([expect.stringContaining('读到了')]);
});

test('who was taken for dead runs nothing, writes nothing, and tells nothing more', async () => {
  await stand('to confirm');
  const path = await redis.get('keypad:{1000002:zhangsan}:path');
  let runs = 0;
  const living = replica({
    limit: over,
    async change() {
      runs += 1;
      return { text: '一变了' };
    },
    opening: async (incoming) => void (await store.takeOver(incoming)),
  });
  const confirmed = message('1');
  expect(await living.say(confirmed)).toBe(sentences.working);
  await living.idle();
  expect(await store.look(confirmed)).toMatchObject({ reply: sentences.lost, confirmed: false });
  expect(await redis.get('keypad:{1000002:zhangsan}:path')).toBe(path);
  await store.keepPromise(confirmed);
  expect((await store.look(confirmed)).reply).toBe(sentences.lost);
  expect([runs, told]).toEqual([0, []]);
});

test('an outcome that was promised and could not be written is told by the platform alone', async () => {
  const confirmed = message('1');
  await store.enter(confirmed);
  await store.markConfirmed(confirmed, 'one');
  // Its turn has ended, and leaves the line once Redis is back.
  await store.letGo(confirmed);
  expect(await store.takeOver(confirmed)).toBe(null);
  expect(await store.look(confirmed)).toMatchObject({ reply: sentences.working, isPromise: true });
});

test('without Redis nothing is promised that would die with the process', async () => {
  await stand('to read');
  const limit = Promise.withResolvers<void>();
  const living = replica({
    limit: limit.promise,
    async opening() {
      await redis.config('SET', 'min-replicas-to-write', '1');
      limit.resolve();
    },
  });
  try {
    expect(await living.say(message('1'))).toBe(sentences.workingAlone);
  } finally {
    await redis.config('SET', 'min-replicas-to-write', '0');
  }
  expect(sentences.workingAlone).toContain('确认过的操作请不要重复');
});

test('whoever finds Redis back gives the living the time of a lease before it takes anybody for dead', async () => {
  await stand('to read');
  const dying = replica({ limit: over });
  const promised = message('1');
  expect(await dying.say(promised)).toBe(sentences.working);
  let clock = Date.now();
  replica({ now: () => clock });
  clock += LEASE_MS;
  const resume = pause(server.process);
  // Longer than a command waits for its answer.
  await sleep(1200);
  await dying.kill();
  await resume();
  await sleep(300);
  expect(told).toEqual([]);
  clock += LEASE_MS;
  await expect.poll(() => told).toEqual([about(promised, sentences.lost)]);
});
