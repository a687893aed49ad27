import { describe, expect, test } from 'vitest';
import { dayOf, freeAt, limitKind, nextBlock, tomorrow, windowsOf } from '../../../src/push/queue/limits.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('which limits a receiver has', () => {
  expect(limitKind('user:anna')).toBe('member');
  for (const receiver of ['user:@all', 'party:2', 'tag:7'] as const)
    expect(limitKind(receiver)).toBe('broad');
  expect(limitKind('robot:ops')).toBe('robot');
  expect(limitKind('chat:c1')).toBe('chat');
  expect(windowsOf('user:anna')).toEqual([
    { most: 30, ms: MINUTE + 500 },
    { most: 1000, ms: HOUR + 500 },
  ]);
  expect(windowsOf('robot:ops')).toEqual([{ most: 20, ms: MINUTE + 500 }]);
  for (const receiver of ['user:@all', 'party:2', 'chat:c1'] as const) expect(windowsOf(receiver)).toBeNull();
});

test('a place becomes free when the call that fills the window leaves it, sooner by each call under way', () => {
  const usage = [{ most: 30, ms: 1000, ends: [500, 400, 300] }];
  expect([0, 1, 2].map((others) => freeAt(usage, others))).toEqual([1300, 1400, 1500]);
  // 29 calls have been: one place is left, and none when another call is under way.
  const open = [{ most: 30, ms: 1000, ends: [500, 400] }];
  expect([0, 1].map((others) => freeAt(open, others))).toEqual([0, 1400]);
  expect(freeAt([...usage, { most: 1000, ms: 9000, ends: [5, 4, 3] }], 0)).toBe(9003);
});

describe('a block', () => {
  const minute = (from: number) => ({ until: from + MINUTE, ms: MINUTE });

  test('lasts twice as long when it comes back right after its end, up to an hour', () => {
    let block = nextBlock(undefined, minute(0));
    const lengths = [block.ms];
    for (let i = 0; i < 8; i += 1) {
      block = nextBlock(block, minute(block.until + 10));
      lengths.push(block.ms);
    }
    expect(lengths.map((ms) => ms / MINUTE)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('is as short as the first when it comes back later, and never shorter than it was', () => {
    const first = nextBlock(undefined, minute(0));
    expect(nextBlock(first, minute(first.until + 30_000))).toEqual(minute(first.until + 30_000));
    expect(nextBlock(first, minute(-10))).toEqual(first);
    expect(nextBlock({ until: HOUR, ms: HOUR }, minute(10))).toEqual({ until: HOUR, ms: HOUR });
  });
});

test('the day is that of China, and what was over its limit comes back within a minute of midnight, not all at once', () => {
  const noon = Date.UTC(2026, 10, 20, 4);
  const midnight = Date.UTC(2026, 10, 20, 16);
  expect(dayOf(noon)).toMatchObject({ beginsAt: midnight - 24 * HOUR, endsAt: midnight });
  expect(dayOf(midnight).number).toBe(dayOf(midnight - 1).number + 1);
  const times = Array.from({ length: 100 }, (_, i) => tomorrow(noon, `user:u${i}`));
  for (const at of times) {
    expect(at).toBeGreaterThanOrEqual(midnight + 1000);
    expect(at).toBeLessThan(midnight + MINUTE);
  }
  expect(new Set(times).size).toBeGreaterThan(50);
  expect(tomorrow(noon, 'user:u1')).toBe(tomorrow(noon + HOUR, 'user:u1'));
});
