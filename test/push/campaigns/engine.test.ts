import { afterAll, describe, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import { startWeCom } from '../../../src/demo/wecom/start.ts';
import { createLimits } from '../../../src/push/delivery/limits.ts';
import { newId } from '../../../src/push/new-id.ts';
import { createRedis } from '../../../src/push/redis.ts';
import { createMessenger } from '../../../src/wecom/messenger.ts';
import { createTokenStore } from '../../../src/wecom/token-store.ts';
import { openOffice } from '../delivery/office.ts';
import { handedOut, openDesk, users } from './desk.ts';

const TOTAL = 100_000;
/** Members whom WeCom does not reach. */
const unlicensed = [...users(TOTAL)].filter((_, index) => index % 500 === 7);

const credentials = { corpId: 'ww1', agentId: 1000002, secret: 'secret' };
const redisServer = await startRedis();
const desk = await openDesk();
const wecom = await startWeCom({
  ...{ ...credentials, token: 'token', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' },
  ...{ port: 0, members: 'anyone', unlicensed, memberLimits: [], callsPerMinute: 1e9 },
});
const redis = createRedis(redisServer.url);
const { corpId, agentId, secret } = credentials;
const messenger = createMessenger({
  ...{ baseUrl: wecom.url, ...credentials, tokens: createTokenStore(redis, corpId, agentId, secret) },
});
const limits = createLimits({
  ...{ redis, db: desk.db, agentId, accountLimit: 10_000_000, now: Date.now, newId, onLost: () => {} },
});
const office = openOffice({ mysqlUrl: desk.url, redisUrl: redisServer.url, messenger, limits });
const replicas = [0, 1].map(() =>
  desk.replica({
    ...{ mailroom: office, now: Date.now, newId: () => newId(Date.now()) },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }),
);
office.start();
for (const each of replicas) each.start();

afterAll(async () => {
  await Promise.all(replicas.map((each) => each.close()));
  await office.close();
  redis.disconnect();
  await wecom.stop();
  await desk.close();
  await redisServer.stop();
});

const progress = async (id: string) => (await desk.look(id)).progress;

describe('with the real engine, two replicas and a WeCom', () => {
  test('100,000 receivers, paused at about 40 % and resumed: success + failed = total, nobody twice', async () => {
    const { id } = (await desk.make({ start: true }, users(TOTAL))).body;
    let mostOpen = 0;
    await expect
      .poll(
        async () => {
          const { queued = 0, sent = 0 } = await progress(id);
          mostOpen = Math.max(mostOpen, queued);
          return sent;
        },
        { timeout: 240_000, interval: 200 },
      )
      .toBeGreaterThan(0.38 * TOTAL);
    const paused = await desk.ask(`POST /campaigns/${id}/pause`);
    expect(paused.body.state).toBe('paused');
    // Only what was being sent at that moment still arrives.
    await expect.poll(async () => (await progress(id)).queued, { timeout: 60_000 }).toBe(0);
    const atRest = wecom.arrivals.totals().shown;
    expect(atRest).toBeLessThan(0.6 * TOTAL);
    for (const each of replicas) await each.sweep();
    await office.sweep();
    expect(wecom.arrivals.totals().shown).toBe(atRest);
    const { sent = 0, failed = 0, waiting } = await progress(id);
    expect([sent, sent + failed + (waiting ?? 0)]).toEqual([atRest, TOTAL]);

    await desk.ask(`POST /campaigns/${id}/resume`);
    await expect
      .poll(async () => (await desk.look(id)).state, { timeout: 240_000, interval: 200 })
      .toBe('done');
    expect(await progress(id)).toMatchObject({
      ...{ total: TOTAL, sent: TOTAL - unlicensed.length, failed: unlicensed.length, queued: 0, waiting: 0 },
    });
    const { shown, mostForOne, repeats } = wecom.arrivals.totals();
    expect({ shown, mostForOne, repeats }).toEqual({
      shown: TOTAL - unlicensed.length,
      mostForOne: 1,
      repeats: 0,
    });
    const counts = await handedOut(desk.db);
    expect([counts.size, new Set(counts.values())]).toEqual([TOTAL, new Set([1])]);
    expect(mostOpen).toBeLessThanOrEqual(2000);
    expect(desk.errors).toEqual([]);
  }, 500_000);

  test('each receiver gets the words meant for them, literally, also after a pause', async () => {
    wecom.arrivals.clear();
    const template = { key: 'bonus', variables: { UNIT: '元 $1' } };
    const receivers = [...users(600)].map((user) => ({ user, variables: { AMOUNT: `"\\${user}\n` } }));
    const { id } = (await desk.make({ template, start: true }, receivers)).body;
    await expect.poll(async () => (await progress(id)).sent, { timeout: 60_000 }).toBeGreaterThan(100);
    await desk.ask(`POST /campaigns/${id}/pause`);
    await desk.ask(`POST /campaigns/${id}/resume`);
    await expect.poll(async () => (await desk.look(id)).state, { timeout: 60_000 }).toBe('done');
    const texts = wecom.arrivals.list().map(({ receiver, text }) => [receiver, text]);
    const reached = receivers.filter(({ user }) => !unlicensed.includes(user));
    const expected = reached.map(({ user }) => [user, `${user} "\\${user}\n 元 $1`]);
    expect(texts.sort()).toEqual(expected.sort());
  }, 120_000);
});
