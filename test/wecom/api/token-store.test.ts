import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import { createRedis } from '../../../src/server/redis.ts';
import type { TokenStore } from '../../../src/wecom/api/access-token.ts';
import { createWeComApi } from '../../../src/wecom/api/api.ts';
import { createSeal } from '../../../src/wecom/api/seal.ts';
import { createTokenStore } from '../../../src/wecom/api/token-store.ts';
import { startScriptedWeCom } from './scripted-wecom.ts';

const server = await startRedis();
const weCom = await startScriptedWeCom();
const connections = [createRedis(server.url), createRedis(server.url)] as const;
const [redis] = connections;
afterAll(async () => {
  for (const connection of connections) connection.disconnect();
  await weCom.stop();
  await server.stop();
});
beforeEach(async () => {
  weCom.reset();
  await redis.flushall();
});

const corpId = 'ww0123456789abcdef';
const storeOf = (connection = redis, secret = 'secret', agentId = 1000002) =>
  createTokenStore(connection, corpId, agentId, secret);

const member = { errcode: 0, userid: 'zhangsan', name: '张三', department: [1] };

/** The keys and their remaining life in ms. */
async function lives(): Promise<ReadonlyMap<string, number>> {
  const keys = await redis.keys('*');
  return new Map(await Promise.all(keys.map(async (key) => [key, await redis.pttl(key)] as const)));
}

test('a token is kept under its app, with a time to live, and no secret in the key', async () => {
  expect(await storeOf().read()).toBeNull();
  await storeOf().write('token', 7_000_000);
  expect(await storeOf().read()).toEqual({ token: 'token', expiresAt: 7_000_000 });
  const [[key, life] = ['', 0], ...others] = await lives();
  expect(others).toEqual([]);
  expect(key).toMatch(/^keypad:wecom:\{ww0123456789abcdef:1000002\}:token:[0-9a-f]{16}$/);
  expect(life).toBeGreaterThan(7_000_000);
  expect(life).toBeLessThanOrEqual(7_200_000);
});

test('another secret or another app is another cache', async () => {
  await storeOf().write('token', 1);
  expect(await storeOf(redis, 'new secret').read()).toBeNull();
  expect(await storeOf(redis, 'secret', 7).read()).toBeNull();
});

test('who reads Redis, such as the bot, learns no token, and who writes there makes nobody use another', async () => {
  await storeOf().write('the-token', 7_000_000);
  const [[key] = ['']] = await lives();
  const kept = (await redis.get(key)) ?? '';
  expect(kept).not.toContain('the-token');
  expect(Buffer.from(kept, 'base64').toString('latin1')).not.toContain('the-token');
  for (const forged of [
    JSON.stringify({ token: 'forged', expiresAt: 9e15 }),
    '',
    'x',
    kept.slice(0, -8),
    `${kept.slice(0, 40)}AAAA${kept.slice(44)}`,
    createSeal('a guess').close(JSON.stringify({ token: 'forged', expiresAt: 9e15 })),
  ]) {
    await redis.set(key, forged);
    expect(await storeOf().read()).toBeNull();
  }
  await storeOf().write('next', 1);
  expect((await storeOf().read())?.token).toBe('next');
});

test('only the token that is kept can be dropped', async () => {
  await storeOf().write('new', 1);
  await storeOf().drop('old');
  expect((await storeOf().read())?.token).toBe('new');
  await storeOf().drop('new');
  expect(await storeOf().read()).toBeNull();
});

describe('the lock', () => {
  test('is held by one, for a limited time, until it is given back', async () => {
    const unlock = await storeOf().lock(5000);
    expect(unlock).not.toBeNull();
    expect(await storeOf(connections[1]).lock(5000)).toBeNull();
    for (const life of (await lives()).values()) expect(life).toBeGreaterThan(0);
    await unlock?.();
    expect(await storeOf(connections[1]).lock(5000)).not.toBeNull();
  });

  test('that ran out cannot be given back from under its next holder', async () => {
    const late = await storeOf().lock(5000);
    await redis.flushall();
    expect(await storeOf(connections[1]).lock(5000)).not.toBeNull();
    await late?.();
    expect(await storeOf().lock(5000)).toBeNull();
  });
});

/** A client of one replica. Instead of sleeping it waits until the token has been written by anybody. */
function replica(connection: typeof redis, written: PromiseWithResolvers<void>) {
  const kept = storeOf(connection);
  const tokens: TokenStore = {
    ...kept,
    write: async (token, expiresAt) => {
      await kept.write(token, expiresAt);
      written.resolve();
    },
  };
  return createWeComApi({
    baseUrl: weCom.url,
    corpId,
    secret: 'secret',
    agentId: 1000002,
    tokens,
    sleep: () => written.promise,
  });
}

/** Ten calls of each of two replicas at once. */
function askEverywhere(): Promise<unknown> {
  const written = Promise.withResolvers<void>();
  const replicas = connections.map((connection) => replica(connection, written));
  return Promise.all(Array.from({ length: 20 }, (_, i) => replicas[i % 2]?.user('zhangsan')));
}

test('twenty callers in two replicas ask WeCom for one token', async () => {
  weCom.script('user/get', member);
  await askEverywhere();
  expect(weCom.calls('gettoken')).toBe(1);
  expect(weCom.calls('user/get')).toBe(20);
});

test('a token that WeCom took back early is replaced once by twenty callers in two replicas', async () => {
  await storeOf().write('taken-back', Date.now() + 3_600_000);
  weCom.script('user/get', ({ query }) =>
    query.access_token === 'taken-back' ? { errcode: 42001, errmsg: 'expired' } : member,
  );
  await askEverywhere();
  expect(weCom.calls('gettoken')).toBe(1);
  expect(weCom.seen.some(({ query }) => query.access_token === 'taken-back')).toBe(true);
});
