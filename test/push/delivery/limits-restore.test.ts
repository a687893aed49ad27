import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Receiver } from '../../../src/push/content/message.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { AGENT, denial, mine, NOON, openLimitsHarness, times } from './limits-harness.ts';

const harness = await openLimitsHarness();
const { clock, redis, db, lost } = harness;
afterAll(() => harness.end());
beforeEach(() => harness.reset());

const ZHANG = 'user:zhangsan' as const;
/** A connection comes back within a second or so. */
const PATIENCE = { timeout: 15_000 };
const LOCK = `keypad:push:{${AGENT}}:restoring`;
const members = (count: number, name: string): readonly Receiver[] =>
  Array.from({ length: count }, (_, index) => `user:${name}${index}` as const);

describe('when Redis was emptied', () => {
  test('what was sent before still counts, and the loss is told once', async () => {
    const [one, two] = [await harness.replica(), await harness.replica()];
    expect(lost.times).toBe(1);
    for (let second = 0; second < 25; second += 1) {
      clock.now = NOON + second * 1000;
      await one.settle(await one.take('normal', [ZHANG]), 'sent');
      await harness.insert([{ receiver: ZHANG, state: 'sent', parts: 1, finished_at: clock.now }]);
    }
    await redis.flushall();
    expect(mine(await one.take('normal', times(10, ZHANG)))).toHaveLength(5);
    expect(denial(await two.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 60_500 });
    expect(lost.times).toBe(2);
    clock.now = NOON + 61_500;
    expect(mine(await two.take('normal', times(10, ZHANG)))).toHaveLength(2);
  });

  test('the hour is restored as well', async () => {
    const limits = await harness.replica();
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      receiver: ZHANG,
      state: 'sent' as const,
      finished_at: NOON - 3_000_000 + index,
    }));
    await harness.insert(rows);
    await redis.flushall();
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 600_500 });
    expect(mine(await limits.take('normal', ['user:lisi']))).toHaveLength(1);
  });

  test('a call that may be going on counts as of now, each part of a text counts, and so does a try', async () => {
    const limits = await harness.replica();
    const ago = NOON - 10_000;
    await harness.insert([
      { receiver: ZHANG, state: 'sending', parts: 2 },
      { receiver: ZHANG, state: 'sent', parts: 9, finished_at: ago },
      { receiver: ZHANG, state: 'sent', parts: 0, finished_at: ago },
      { receiver: ZHANG, state: 'queued', parts: 3 },
      { receiver: ZHANG, state: 'queued', tries: 4 },
      { receiver: ZHANG, state: 'dead', tries: 8, finished_at: ago },
      { receiver: ZHANG, state: 'recalled', parts: 1, finished_at: ago },
    ]);
    // None of these has reached anybody within the hour.
    await harness.insert([
      { receiver: ZHANG, state: 'queued' },
      { receiver: ZHANG, state: 'failed', tries: 1, finished_at: ago },
      { receiver: ZHANG, state: 'recalled', finished_at: ago },
      { receiver: ZHANG, state: 'sent', parts: 20, finished_at: NOON - 3_601_000 },
    ]);
    await redis.flushall();
    expect(mine(await limits.take('normal', times(30, ZHANG)))).toHaveLength(
      30 - (3 + 9 + 1 + 3 + 1 + 1 + 1),
    );
    clock.now = ago + 60_500;
    expect(mine(await limits.take('normal', times(30, ZHANG)))).toHaveLength(9 + 1 + 1 + 1);
    clock.now = NOON + 90_499;
    await limits.take('normal', times(30, ZHANG));
    clock.now = NOON + 90_500;
    // The call that was going on, and the 11 turns that nobody settled.
    expect(mine(await limits.take('normal', times(30, ZHANG)))).toHaveLength(3 + 11);
  });

  test('robots keep their limit', async () => {
    const limits = await harness.replica();
    await harness.insert(
      times(18, 'robot:ops').map((receiver) => ({ receiver, state: 'sent', finished_at: NOON })),
    );
    await redis.flushall();
    expect(mine(await limits.take('normal', times(9, 'robot:ops')))).toHaveLength(2);
  });

  test('the count of the day is restored, however many there were', async () => {
    const limits = await harness.replica({ accountLimit: 100 });
    const morning = Date.UTC(2026, 10, 19, 16);
    const sent = (receivers: readonly Receiver[], finished_at: number) =>
      harness.insert(receivers.map((receiver) => ({ receiver, state: 'sent', finished_at })));
    await sent(members(6000, 'early'), morning);
    await sent(members(6000, 'now'), NOON - 5);
    await sent(['user:@all', 'party:2', 'tag:7', 'chat:c', 'robot:ops'], NOON - 5);
    await sent(members(500, 'yesterday'), morning - 1);
    await harness.insert(members(7000, 'open').map((receiver) => ({ receiver, state: 'sending' })));
    await redis.flushall();
    expect(mine(await limits.take('bulk', members(1500, 'new')))).toHaveLength(20_000 - 19_003);
  });

  test('a turn from before is counted when it is settled, and is not given back twice', async () => {
    const limits = await harness.replica();
    const turns = await limits.take('normal', times(6, ZHANG));
    await redis.flushall();
    await limits.take('bulk', []);
    await limits.settle(turns.slice(0, 3), 'sent');
    await limits.settle(turns.slice(3), 'unsent');
    expect(mine(await limits.take('normal', times(31, ZHANG)))).toHaveLength(27);
  });

  test('nobody gets a turn while another replica restores', async () => {
    const limits = await harness.replica();
    await redis.flushall();
    await redis.set(LOCK, 'another', 'PX', 60_000);
    expect(denial(await limits.take('alert', [ZHANG, 'chat:c']), NOON)).toEqual({
      limit: 'blocked',
      after: 1000,
    });
    expect(mine(await limits.take('alert', [ZHANG, 'chat:c']))).toEqual([]);
    await redis.del(LOCK);
    expect(mine(await limits.take('alert', [ZHANG]))).toHaveLength(1);
    expect(lost.times).toBe(2);
  });

  test('many who ask at once cause one restoring', async () => {
    const [one, two] = [await harness.replica(), await harness.replica()];
    await harness.insert(
      times(30, ZHANG).map((receiver) => ({ receiver, state: 'sent', finished_at: NOON })),
    );
    await redis.flushall();
    const all = await Promise.all(
      times(40, ZHANG).map((_, i) => (i % 2 ? one : two).take('normal', [ZHANG])),
    );
    expect(all.flatMap(mine)).toEqual([]);
    expect(lost.times).toBe(2);
  });

  test('and MySQL is away, nobody gets a turn', async () => {
    const away = openDatabase('mysql://keypad@127.0.0.1:1/keypad');
    const limits = await harness.replica({ db: away });
    await expect(limits.take('alert', [ZHANG])).rejects.toThrow('ECONNREFUSED');
    await away.destroy();
    expect(mine(await (await harness.replica()).take('alert', [ZHANG]))).toHaveLength(1);
  });

  test('and is emptied once more while that is restored, it begins again', async () => {
    const limits = await harness.replica();
    await harness.insert(
      times(30, ZHANG).map((receiver) => ({ receiver, state: 'sent', finished_at: NOON })),
    );
    await redis.flushall();
    await db.connection().execute(async (locking) => {
      await sql`lock tables deliveries write`.execute(locking);
      const taking = limits.take('alert', [ZHANG]);
      taking.catch(() => {});
      await vi.waitFor(async () => expect(await redis.exists(LOCK)).toBe(1));
      await redis.flushall();
      await sql`unlock tables`.execute(locking);
      await expect(taking).rejects.toThrow('lost the limits again');
    });
    expect(denial(await limits.take('alert', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 60_500 });
  });
});

describe('when Redis was started anew', () => {
  test('its old turns are not trusted: what MySQL says counts, once, without anybody asking for a turn', async () => {
    const limits = await harness.replica();
    await limits.settle(await limits.take('normal', times(10, ZHANG)), 'sent');
    // Redis remembers 10; of these and of 10 it has forgotten, MySQL knows.
    await harness.insert(
      times(20, ZHANG).map((receiver) => ({ receiver, state: 'sent', finished_at: NOON })),
    );
    await harness.restart();
    await expect.poll(() => lost.times, PATIENCE).toBe(2);
    expect(mine(await limits.take('normal', times(30, ZHANG)))).toHaveLength(10);
    expect(lost.times).toBe(2);
  });

  test('and the connection was quicker than anybody: the first turn meets the restored limits', async () => {
    const limits = await harness.replica();
    await harness.insert(
      times(30, ZHANG).map((receiver) => ({ receiver, state: 'sent', finished_at: NOON })),
    );
    await harness.restart();
    const asking = async () => denial(await limits.take('alert', [ZHANG]).catch(() => []), NOON);
    await expect.poll(asking, PATIENCE).toEqual({ limit: 'member', after: 60_500 });
  });
});

test('while Redis is away taking a turn fails, and works again when it is back', async () => {
  const limits = await harness.replica();
  await harness.stopRedis();
  await expect(limits.take('alert', [ZHANG])).rejects.toThrow();
  await harness.restart();
  await expect
    .poll(async () => mine(await limits.take('alert', [ZHANG]).catch(() => [])).length, PATIENCE)
    .toBe(1);
});
