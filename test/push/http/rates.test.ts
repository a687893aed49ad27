import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import type { RedisServer } from '../../../demo/servers/redis-server.ts';
import { createRates } from '../../../src/push/http/rates.ts';
import { createRedis, type Redis } from '../../../src/server/redis.ts';
import { openMessageRoutes } from '../messages/message-routes-harness.ts';
import { type ApiHarness, noRedis, openApiHarness } from './api-harness.ts';

const clock = { now: Date.UTC(2026, 10, 21, 8, 0, 20) };
const now = () => clock.now;
let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url);
  redis.on('error', () => {});
  await once(redis, 'ready');
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function takeMany(
  rates: ReturnType<typeof createRates>,
  app: string,
  count: number,
): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) taken.push(await rates.take(app, 3));
  return taken;
}

test('replicas share the limit of an app, until the minute is over', async () => {
  const [one, other] = [createRates(redis, now), createRates(redis, now)];
  expect(await takeMany(one, 'shared', 2)).toEqual([0, 0]);
  expect(await takeMany(other, 'shared', 2)).toEqual([0, 40]);
  expect(await takeMany(one, 'shared', 1)).toEqual([40]);
  expect(await takeMany(one, 'another', 1)).toEqual([0]);
  clock.now += 40_000;
  expect(await takeMany(other, 'shared', 1)).toEqual([0]);
});

test('what is counted in Redis is forgotten by itself', async () => {
  await createRates(redis, now).take('forgotten', 3);
  const [key = ''] = await redis.keys('keypad:push:rate:{forgotten}:*');
  expect(await redis.ttl(key)).toBeGreaterThan(0);
});

test('while Redis is away each process counts for itself', async () => {
  expect(await takeMany(createRates(noRedis, now), 'alone', 4)).toEqual([0, 0, 0, 60]);
  const keypadCountRequest = () => Promise.reject(new Error('away'));
  const failing = { ...noRedis, status: 'ready', keypadCountRequest } as unknown as Redis;
  expect(await takeMany(createRates(failing, now), 'alone', 4)).toEqual([0, 0, 0, 60]);
});

describe('an app over its limit', () => {
  let api: ApiHarness;
  beforeAll(async () => {
    api = await openApiHarness((parts) => openMessageRoutes(parts).routes, { redis });
    await api.newApp('eager', ['text'], { perMinute: 2 });
    await api.newApp('calm', ['text']);
  });
  afterAll(() => api.stop());

  test('is told to come back, which nobody else can bring about', async () => {
    const ask = (app: string, key?: string) => api.say({ path: '/v1/messages', app, ...(key && { key }) });
    for (let n = 0; n < 5; n += 1) expect(await ask('eager', 'a wrong key')).toMatchObject({ status: 401 });
    expect((await ask('eager')).status).toBe(200);
    expect((await ask('eager')).status).toBe(200);
    const refused = await ask('eager');
    expect(refused).toMatchObject({
      status: 429,
      body: { error: expect.stringContaining('2 requests a minute') },
    });
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBe(60 - ((api.clock.now / 1000) % 60));
    expect((await ask('calm')).status).toBe(200);
    api.clock.now += seconds * 1000;
    expect((await ask('eager')).status).toBe(200);
  });
});
