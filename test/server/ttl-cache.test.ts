import { expect, test } from 'vitest';
import { createTtlCache } from '../../src/server/ttl-cache.ts';

/** A cache of answers that count up, for half a minute. */
function counting({ failFirst = false } = {}) {
  const self = { now: 1_000_000, asked: 0 };
  const cache = createTtlCache({
    milliseconds: 30_000,
    size: 2,
    keyOf: (key: string) => key,
    ask: async () => {
      self.asked += 1;
      if (failFirst && self.asked === 1) throw new Error('down');
      return self.asked;
    },
    now: () => self.now,
  });
  return { self, get: cache.get, drop: cache.drop };
}

test('an answer is believed for its time, a failure not at all', async () => {
  const { self, get } = counting({ failFirst: true });
  await expect(get('a')).rejects.toThrow('down');
  expect(await Promise.all([get('a'), get('a')])).toEqual([2, 2]);
  self.now += 29_999;
  expect(await get('a')).toBe(2);
  self.now += 1;
  expect(await get('a')).toBe(3);
});

test('an answer is asked for again once it was dropped, or the clock set back', async () => {
  const { self, get, drop } = counting();
  expect(await get('a')).toBe(1);
  drop('a');
  expect(await get('a')).toBe(2);
  self.now -= 30_000;
  expect(await get('a')).toBe(3);
});

test('beyond its size the oldest answer is forgotten', async () => {
  const { get } = counting();
  expect([await get('a'), await get('b'), await get('c')]).toEqual([1, 2, 3]);
  expect([await get('b'), await get('c'), await get('a')]).toEqual([2, 3, 4]);
});
