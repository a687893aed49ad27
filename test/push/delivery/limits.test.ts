import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lane, Receiver } from '../../../src/push/content/message.ts';
import type { Limits } from '../../../src/push/delivery/limits.ts';
import { AGENT, denial, mine, mostWithin, NOON, openLimitsHarness, times } from './limits-harness.ts';

const harness = await openLimitsHarness();
const { clock, redis } = harness;
afterAll(() => harness.end());
beforeEach(() => harness.reset());

const ZHANG = 'user:zhangsan' as const;
const HOUR = 3_600_000;

/** Sends `count` messages one after the other as a worker would, the clock running; resolves to when WeCom saw them. */
interface Sender {
  readonly limits: Limits;
  readonly lane: Lane;
  readonly count: number;
  /** How long each call takes; WeCom sees it somewhere between. */
  readonly callMs: number;
}

async function sendAll(receiver: Receiver, senders: readonly Sender[]): Promise<readonly number[]> {
  const seen: number[] = [];
  const events = senders.flatMap((sender) => [{ at: clock.now, run: () => ask(sender, sender.count) }]);
  const ask = async (sender: Sender, left: number): Promise<void> => {
    if (left === 0) return;
    const [turn] = await sender.limits.take(sender.lane, [receiver]);
    if (!turn?.isMine) {
      expect(turn?.at).toBeGreaterThan(clock.now);
      events.push({ at: turn?.at ?? 0, run: () => ask(sender, left) });
      return;
    }
    seen.push(clock.now + (seen.length % 2) * sender.callMs);
    events.push({
      at: clock.now + sender.callMs,
      run: async () => {
        await sender.limits.settle([turn], 'sent');
        await ask(sender, left - 1);
      },
    });
  };
  while (events.length > 0) {
    const next = events.reduce((first, event) => (event.at < first.at ? event : first));
    events.splice(events.indexOf(next), 1);
    clock.now = Math.max(clock.now, next.at);
    await next.run();
  }
  return seen.sort((a, b) => a - b);
}

describe('a member', () => {
  test('gets all of 40 messages, and never more than 30 in any 60 s', async () => {
    const limits = await harness.replica();
    const seen = await sendAll(ZHANG, [{ limits, lane: 'normal', count: 40, callMs: 50 }]);
    expect(seen).toHaveLength(40);
    expect(mostWithin(seen, 60_000)).toBe(30);
    expect((seen.at(-1) ?? 0) - NOON).toBeLessThan(65_000);
  });

  test('never gets more than 30 in any 60 s from two replicas and three lanes whose calls take long', async () => {
    const [one, two] = [await harness.replica(), await harness.replica()];
    const seen = await sendAll(ZHANG, [
      { limits: one, lane: 'alert', count: 40, callMs: 4900 },
      { limits: two, lane: 'alert', count: 40, callMs: 70 },
      { limits: one, lane: 'normal', count: 40, callMs: 1100 },
      { limits: two, lane: 'bulk', count: 40, callMs: 10 },
    ]);
    expect(seen).toHaveLength(160);
    expect(mostWithin(seen, 60_000)).toBeLessThanOrEqual(30);
  });

  test('is told of the oldest turn: exactly then the next is free', async () => {
    const limits = await harness.replica();
    for (const _ of times(30, ZHANG)) {
      await limits.settle(await limits.take('normal', [ZHANG]), 'sent');
      clock.now += 1000;
    }
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 60_500 });
    clock.now = NOON + 60_499;
    expect(mine(await limits.take('normal', [ZHANG]))).toEqual([]);
    clock.now = NOON + 60_500;
    expect(mine(await limits.take('normal', times(2, ZHANG)))).toHaveLength(1);
  });

  test('is counted until 60 s after a slow call ended', async () => {
    const limits = await harness.replica();
    const turns = await limits.take('normal', times(30, ZHANG));
    clock.now = NOON + 4000;
    await limits.settle(turns, 'sent');
    clock.now = NOON + 60_500;
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 64_500 });
    clock.now = NOON + 64_500;
    expect(mine(await limits.take('normal', times(31, ZHANG)))).toHaveLength(30);
  });

  test('is counted as if the call had lasted 30 s when nobody settles the turn', async () => {
    const limits = await harness.replica();
    await limits.take('normal', times(30, ZHANG));
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 90_500 });
    clock.now = NOON + 90_500;
    expect(mine(await limits.take('normal', [ZHANG]))).toHaveLength(1);
  });

  test('is not counted when WeCom was never reached', async () => {
    const limits = await harness.replica();
    const turns = await limits.take('normal', times(31, ZHANG));
    await limits.settle(turns.slice(0, 2), 'unsent');
    expect(mine(await limits.take('normal', times(5, ZHANG)))).toHaveLength(2);
  });

  test('gets no more than 1000 in any hour', async () => {
    const limits = await harness.replica();
    let sent = 0;
    for (let minute = 0; minute < 34; minute += 1) {
      const turns = await limits.take('normal', times(30, ZHANG));
      await limits.settle(turns, 'sent');
      sent += mine(turns).length;
      clock.now += 60_500;
    }
    expect(sent).toBe(1000);
    const after = HOUR + 500;
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'member', after });
    clock.now = NOON + after - 1;
    expect(mine(await limits.take('normal', [ZHANG]))).toEqual([]);
    clock.now = NOON + after;
    expect(mine(await limits.take('normal', times(31, ZHANG)))).toHaveLength(30);
  });

  test('has limits of its own in each app', async () => {
    const [one, other] = [await harness.replica(), await harness.replica({ agentId: 7 })];
    await one.take('normal', times(30, ZHANG));
    expect(mine(await other.take('normal', times(31, ZHANG)))).toHaveLength(30);
    expect(mine(await one.take('normal', ['user:lisi']))).toHaveLength(1);
  });
});

test('everybody, a department, a tag and a group have no limit of a minute that we can know', async () => {
  const limits = await harness.replica();
  for (const receiver of ['user:@all', 'party:2', 'tag:7', 'chat:c'] as const) {
    expect(mine(await limits.take('normal', times(40, receiver)))).toHaveLength(40);
  }
});

test('a robot gets all of 25 messages, and never more than 20 in any 60 s', async () => {
  const limits = await harness.replica();
  const seen = await sendAll('robot:ops', [{ limits, lane: 'normal', count: 25, callMs: 100 }]);
  expect(seen).toHaveLength(25);
  expect(mostWithin(seen, 60_000)).toBe(20);
  expect(harness.waits[0]).toEqual({ lane: 'normal', limit: 'robot', ms: 58_600 });
});

describe('the day', () => {
  const MIDNIGHT = Date.UTC(2026, 10, 20, 16);
  const members = (count: number, name = 'm'): readonly Receiver[] =>
    Array.from({ length: count }, (_, index) => `user:${name}${index}` as const);

  test('holds account limit × 200 person-times, and what is over waits for midnight in Shanghai', async () => {
    const limits = await harness.replica({ accountLimit: 1 });
    const broad: readonly Receiver[] = ['user:@all', 'party:2', 'tag:7'];
    expect(mine(await limits.take('bulk', [...members(197), ...broad]))).toHaveLength(200);
    for (const receiver of ['user:other', ...broad] as const) {
      const denied = denial(await limits.take('alert', [receiver]), MIDNIGHT);
      expect(denied?.limit).toBe('day');
      expect(denied?.after).toBeGreaterThanOrEqual(1000);
      expect(denied?.after).toBeLessThan(60_000);
    }
    expect(mine(await limits.take('bulk', ['chat:c', 'robot:ops']))).toHaveLength(2);
    clock.now = MIDNIGHT - 1;
    expect(mine(await limits.take('bulk', ['user:other']))).toEqual([]);
    clock.now = MIDNIGHT;
    expect(mine(await limits.take('bulk', members(201, 'n')))).toHaveLength(200);
  });

  test('does not count what WeCom never got, nor groups and robots', async () => {
    const limits = await harness.replica({ accountLimit: 1 });
    await limits.take('bulk', ['chat:c', 'robot:ops']);
    const turns = await limits.take('bulk', members(200));
    await limits.settle(turns.slice(0, 3), 'unsent');
    await limits.settle(turns.slice(0, 3), 'unsent');
    expect(mine(await limits.take('bulk', members(10, 'n')))).toHaveLength(3);
  });

  test('counts a call over midnight in both days', async () => {
    const limits = await harness.replica({ accountLimit: 1 });
    clock.now = MIDNIGHT - 1000;
    const turns = await limits.take('bulk', members(5));
    clock.now = MIDNIGHT + 1000;
    await limits.settle(turns, 'sent');
    expect(mine(await limits.take('bulk', members(200, 'n')))).toHaveLength(195);
  });
});

test('one take serves thousands of receivers, each in its place', async () => {
  const limits = await harness.replica({ accountLimit: 15 });
  const receivers = Array.from({ length: 3500 }, (_, index) => `user:u${index}` as const);
  const turns = await limits.take('bulk', receivers);
  expect(turns.map(({ receiver }) => receiver)).toEqual(receivers);
  expect(turns.map(({ isMine }) => isMine)).toEqual(receivers.map((_, index) => index < 3000));
  await limits.settle(turns, 'unsent');
  expect(mine(await limits.take('bulk', receivers))).toHaveLength(3000);
});

test('every key is one of this app and lives for a time only', async () => {
  const limits = await harness.replica();
  await limits.take('bulk', times(31, ZHANG));
  await limits.take('normal', times(31, ZHANG));
  await limits.settle(await limits.take('normal', ['robot:ops', 'party:2', 'chat:c', 'user:lisi']), 'sent');
  await limits.block('app', clock.now + 60_000);
  const keys = await redis.keys('*');
  expect(keys.length).toBeGreaterThanOrEqual(7);
  for (const key of keys) {
    expect(key).toContain(`keypad:push:{${AGENT}}:`);
    expect(await redis.pttl(key), key).toBeGreaterThan(0);
  }
});

test('calls that end in the same moment are settled by one script, each with its own outcome', async () => {
  const limits = await harness.replica();
  const turns = await limits.take('normal', times(30, ZHANG));
  await limits.settle(turns.slice(0, 1), 'sent');
  const before = await scripts();
  await Promise.all(turns.slice(1).map((turn, i) => limits.settle([turn], i < 9 ? 'sent' : 'unsent')));
  const after = await scripts();
  expect([after.evalsha - before.evalsha, after.eval - before.eval]).toEqual([1, 0]);
  expect(mine(await limits.take('normal', times(30, ZHANG)))).toHaveLength(20);
});

/** How often Redis was given a script by its hash, and with its whole text. */
async function scripts(): Promise<{ readonly evalsha: number; readonly eval: number }> {
  const info = await redis.info('commandstats');
  const calls = (name: string) => Number(info.match(`cmdstat_${name}:calls=(\\d+)`)?.[1] ?? 0);
  return { evalsha: calls('evalsha'), eval: calls('eval') };
}
