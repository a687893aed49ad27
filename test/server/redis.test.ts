import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import { startTcpProxy, type TcpProxy } from '#test/tcp-proxy.ts';
import { createSessionStore } from '../../src/chat/session-store.ts';
import { checkWrites, createRedis, type Redis } from '../../src/server/redis.ts';
import { createPigeon } from '../channels/pigeon.ts';

type Server = Awaited<ReturnType<typeof startRedis>>;

let old: Server;
let next: Server;
let toOld: Redis;
let proxy: TcpProxy;
let redis: Redis;
let now: number;

const portOf = ({ url }: Server) => Number(new URL(url).port);

beforeAll(async () => {
  [old, next] = await Promise.all([startRedis(), startRedis()]);
  toOld = createRedis(old.url);
  toOld.on('error', () => {});
  const toNext = createRedis(next.url);
  await toNext.config('SET', 'repl-diskless-sync-delay', '0');
  await Promise.all(Array.from({ length: 3000 }, (_, i) => toNext.set(`filler:${i}`, 'x'.repeat(100))));
  toNext.disconnect();
});
afterAll(async () => {
  toOld.disconnect();
  await Promise.all([old.stop(), next.stop()]);
});
beforeEach(async () => {
  now = 0;
  proxy = await startTcpProxy(portOf(old));
  redis = createRedis(`redis://127.0.0.1:${proxy.port}`, { now: () => now });
  redis.on('error', () => {});
  await redis.ping();
});
afterEach(async () => {
  redis.disconnect();
  await proxy.stop();
  await serve();
});

/** What a message came to in a session store. */
const enter = (msgId: string): Promise<string> =>
  createSessionStore(redis)
    .enter({ channel: createPigeon(), user: msgId, msgId, trace: msgId })
    .then(
      ({ kind }) => kind,
      ({ message }: Error) => message,
    );

async function replicate(): Promise<void> {
  await toOld.replicaof('127.0.0.1', portOf(next));
  await expect.poll(async () => (await toOld.role())[3]).toBe('connected');
}

/** It loads what it gets for some seconds, a key in a millisecond, and does not hear its clients in between but for once in a while. */
async function load(): Promise<void> {
  await toOld.config('SET', 'key-load-delay', '1000', 'loading-process-events-interval-bytes', '1024');
  await toOld.replicaof('127.0.0.1', portOf(next));
  await expect.poll(() => toOld.info('persistence')).toContain('loading:1');
}

async function serve(): Promise<void> {
  await toOld.config('SET', 'key-load-delay', '0', 'maxmemory', '0', 'min-replicas-to-write', '0');
  // While it loads, which ends now, it does not listen to everything.
  await expect.poll(() => toOld.replicaof('NO', 'ONE').catch(String)).toBe('OK');
  await expect.poll(() => toOld.info('persistence')).toContain('loading:0');
  await expect.poll(() => toOld.set('serves', '1').catch(String)).toBe('OK');
}

/** A word that a server refuses with, and how it is made to. */
const refusals: readonly [string, () => Promise<unknown>][] = [
  ['READONLY', replicate],
  ['LOADING', load],
  ['OOM', () => toOld.config('SET', 'maxmemory', '1')],
  ['NOREPLICAS', () => toOld.config('SET', 'min-replicas-to-write', '1')],
];

test.each(refusals)(
  'after a promotion one message that is refused with %s is enough, and the next is taken by the new server',
  async (word, refuse) => {
    await refuse();
    proxy.leadTo(portOf(next));
    const closed = once(redis, 'close');
    expect(await enter(`${word}-1`)).toContain(word);
    await closed;
    expect(await enter(`${word}-2`)).toBe('turn');
  },
);

test.each(refusals)(
  'a server that goes on to refuse with %s gets one new connection a second',
  async (word, refuse) => {
    await refuse();
    let closed = 0;
    redis.on('close', () => {
      closed += 1;
    });
    const refuseOne = async () => expect(await enter(`${word}-3`)).toContain(word);
    await refuseOne();
    await expect.poll(() => closed).toBe(1);
    now += 999;
    for (let tries = 0; tries < 5; tries += 1) await refuseOne();
    expect(closed).toBe(1);
    now += 1;
    await refuseOne();
    await expect.poll(() => closed).toBe(2);
  },
);

test('when a link dies without FIN, the commands on it fail after a second, and the next find a new one', async () => {
  proxy.swallow();
  const lost = await Promise.all(['a', 'b'].map((id) => enter(`swallowed-${id}`)));
  expect(lost.join()).not.toContain('turn');
  expect(await enter('swallowed-c')).toBe('turn');
});

test.each(refusals)(
  'a server that refuses with %s is not ready, and ready again when it takes writes',
  async (_word, refuse) => {
    await refuse();
    await expect(checkWrites(redis)).rejects.toThrow(/^(READONLY|OOM|NOREPLICAS) /);
    await serve();
    await expect.poll(() => checkWrites(redis)).toBeUndefined();
  },
);
