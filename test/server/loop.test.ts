import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLoop } from '../../src/server/loop.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A loop of 1 s whose rounds end when the test says so. */
function loop(paceMs = 0) {
  const rounds: PromiseWithResolvers<unknown>[] = [];
  const errors: unknown[] = [];
  let heard = () => false;
  const made = createLoop({
    restMs: 1000,
    paceMs,
    work(isStopped) {
      heard = isStopped;
      const round = Promise.withResolvers<unknown>();
      rounds.push(round);
      return round.promise;
    },
    onError: (error) => errors.push(error),
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { loop: made, rounds, errors, pass, heard: () => heard() };
}

test('a round follows each rest, and never while another is under way', async () => {
  const { loop: each, rounds, pass } = loop();
  each.start();
  await pass(999);
  expect(rounds).toHaveLength(0);
  await pass(1);
  expect(rounds).toHaveLength(1);
  await pass(5000);
  expect(rounds).toHaveLength(1);
  rounds[0]?.resolve(undefined);
  await pass(999);
  expect(rounds).toHaveLength(1);
  await pass(1);
  expect(rounds).toHaveLength(2);
});

test('who wakes it ends the rest, and is not forgotten during a round', async () => {
  const { loop: each, rounds, pass } = loop();
  each.wake();
  each.start();
  await pass(0);
  expect(rounds).toHaveLength(1);
  each.wake();
  rounds[0]?.resolve(undefined);
  await pass(0);
  expect(rounds).toHaveLength(2);
  rounds[1]?.resolve(undefined);
  await pass(0);
  expect(rounds).toHaveLength(2);
});

test('a round that has more to do is followed at once', async () => {
  const { loop: each, rounds, pass } = loop();
  each.wake();
  each.start();
  await pass(0);
  rounds[0]?.resolve(true);
  await pass(0);
  expect(rounds).toHaveLength(2);
});

test('a round that fails is reported and ends nothing but itself', async () => {
  const { loop: each, rounds, errors, pass } = loop();
  each.wake();
  each.start();
  await pass(0);
  rounds[0]?.reject(new Error('away'));
  await pass(1000);
  expect(errors).toEqual([new Error('away')]);
  expect(rounds).toHaveLength(2);
});

test('a round that throws before it waits is reported too', async () => {
  const errors: unknown[] = [];
  const thrower = createLoop({
    restMs: 1000,
    work() {
      throw new Error('at once');
    },
    onError: (error) => errors.push(error),
  });
  thrower.start();
  await vi.advanceTimersByTimeAsync(2000);
  await thrower.stop();
  expect(errors).toEqual([new Error('at once'), new Error('at once')]);
});

test('a stop waits for the round under way, which can hear of it, and begins no other', async () => {
  const { loop: each, rounds, pass, heard } = loop();
  each.wake();
  each.start();
  await pass(0);
  expect(heard()).toBe(false);
  let isStopped = false;
  const stopped = each.stop().then(() => {
    isStopped = true;
  });
  await pass(5000);
  expect(heard()).toBe(true);
  expect(isStopped).toBe(false);
  rounds[0]?.resolve(true);
  await stopped;
  await pass(5000);
  expect(rounds).toHaveLength(1);
});

test('rounds with a pace begin no sooner after each other, however much there is to do', async () => {
  const { loop: each, rounds, pass } = loop(10);
  each.wake();
  each.start();
  await pass(0);
  expect(rounds).toHaveLength(1);
  each.wake();
  rounds[0]?.resolve(true);
  await pass(9);
  expect(rounds).toHaveLength(1);
  await pass(1);
  expect(rounds).toHaveLength(2);
  // A round that takes longer is followed at once.
  await pass(10);
  rounds[1]?.resolve(true);
  await pass(0);
  expect(rounds).toHaveLength(3);
});

test('how long it rests is asked when it begins to', async () => {
  let restMs = 1000;
  let rounds = 0;
  const each = createLoop({
    restMs: () => restMs,
    async work() {
      rounds += 1;
      restMs = 10;
    },
    onError: () => {},
  });
  each.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(rounds).toBe(1);
  await vi.advanceTimersByTimeAsync(10);
  expect(rounds).toBe(2);
  const stopped = each.stop();
  await vi.advanceTimersByTimeAsync(10);
  await stopped;
});
