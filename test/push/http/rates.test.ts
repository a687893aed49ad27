import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { createRates, type Rates } from '../../../src/push/http/rates.ts';
import { openMessageRoutes } from '../messages/message-routes-harness.ts';
import { type ApiHarness, openApiHarness } from './api-harness.ts';

const clock = { now: Date.UTC(2026, 10, 21, 8, 0, 20) };
const now = () => clock.now;
const { db, drop } = await openPushDatabase();
afterAll(drop);

function takeMany(rates: Rates, app: string, count: number, perMinute = 3): readonly number[] {
  return Array.from({ length: count }, () => rates.take(app, perMinute));
}

test('replicas share the limit of an app, until the minute is over', async () => {
  const [one, other] = [createRates(db, now), createRates(db, now)];
  expect(takeMany(one, 'shared', 2)).toEqual([0, 0]);
  await one.settle();
  expect(takeMany(other, 'shared', 1)).toEqual([0]);
  await other.settle();
  expect(takeMany(other, 'shared', 1)).toEqual([40]);
  expect(takeMany(one, 'another', 1)).toEqual([0]);
  clock.now += 40_000;
  expect(takeMany(other, 'shared', 4)).toEqual([0, 0, 0, 60]);
});

test('between two exchanges each replica lets through no more than the limit', async () => {
  const [one, other] = [createRates(db, now), createRates(db, now)];
  expect(takeMany(one, 'burst', 5)).toEqual([0, 0, 0, 60, 60]);
  expect(takeMany(other, 'burst', 2)).toEqual([0, 0]);
  await one.settle();
  await other.settle();
  expect([one.take('burst', 3), other.take('burst', 3)]).toEqual([60, 60]);
});

test('a process that starts in the middle of a minute knows after one exchange what was let through', async () => {
  const old = createRates(db, now);
  takeMany(old, 'restarted', 2);
  await old.settle();
  const fresh = createRates(db, now);
  expect(fresh.take('restarted', 3)).toBe(0);
  await fresh.settle();
  expect(fresh.take('restarted', 3)).toBe(60);
});

test('what comes in during an exchange is handed on by the next, and nothing twice', async () => {
  const [one, other] = [createRates(db, now), createRates(db, now)];
  takeMany(one, 'during', 4, 10);
  const settling = one.settle();
  takeMany(one, 'during', 3, 10);
  await settling;
  await one.settle();
  await one.settle();
  takeMany(other, 'during', 1, 10);
  await other.settle();
  expect(takeMany(other, 'during', 3, 10)).toEqual([0, 0, 60]);
});

test('replicas that settle many apps at once lose no count', async () => {
  const replicas = Array.from({ length: 4 }, () => createRates(db, now));
  const apps = Array.from({ length: 200 }, (_, i) => `app-${i}`);
  for (let round = 0; round < 5; round += 1) {
    replicas.forEach((rates, index) => {
      for (const app of index % 2 === 0 ? apps : apps.toReversed()) rates.take(app, 1000);
    });
    await Promise.all(replicas.map((rates) => rates.settle()));
  }
  const rows = await db.selectFrom('app_rates').selectAll().where('app', 'like', 'app-%').execute();
  expect(rows.map(({ requests }) => requests)).toEqual(apps.map(() => 20));
});

test('what was counted is deleted two minutes later', async () => {
  const rates = createRates(db, now);
  rates.take('forgotten', 3);
  await rates.settle();
  const left = () => db.selectFrom('app_rates').selectAll().where('app', '=', 'forgotten').execute();
  for (const rows of [1, 0]) {
    clock.now += 60_000;
    rates.take('another', 3);
    await rates.settle();
    expect(await left()).toHaveLength(rows);
  }
});

test('while the database is away each process counts for itself', async () => {
  const away = openDatabase('mysql://nobody@127.0.0.1:1/away');
  const rates = createRates(away, now);
  expect(takeMany(rates, 'alone', 2)).toEqual([0, 0]);
  await expect(rates.settle()).rejects.toThrow('ECONNREFUSED');
  await rates.settle();
  expect(takeMany(rates, 'alone', 2)).toEqual([0, 60]);
  await away.destroy();
});

describe('an app over its limit', () => {
  let api: ApiHarness;
  beforeAll(async () => {
    api = await openApiHarness((parts) => openMessageRoutes(parts).routes);
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
