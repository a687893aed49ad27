import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { denial, mine, NOON, openLimitsHarness, times } from './limits-harness.ts';

const harness = await openLimitsHarness();
const { clock } = harness;
afterAll(() => harness.end());
beforeEach(() => harness.reset());

const ZHANG = 'user:zhangsan' as const;

describe('lanes', () => {
  test('may each use all 30 turns while nobody waits above', async () => {
    const limits = await harness.replica();
    expect(mine(await limits.take('bulk', times(31, ZHANG)))).toHaveLength(30);
  });

  test('give the next turn to the alert that was denied one', async () => {
    const [limits, other] = [await harness.replica(), await harness.replica()];
    await limits.settle(await limits.take('bulk', times(30, ZHANG)), 'sent');
    expect(denial(await other.take('alert', [ZHANG]), NOON)).toEqual({ limit: 'member', after: 60_500 });
    clock.now = NOON + 60_500;
    expect(denial(await limits.take('bulk', [ZHANG]), NOON)).toEqual({ limit: 'lane', after: 62_500 });
    expect(denial(await limits.take('normal', [ZHANG]), NOON)).toEqual({ limit: 'lane', after: 62_500 });
    expect(mine(await other.take('alert', [ZHANG]))).toHaveLength(1);
    clock.now = NOON + 62_500;
    // The normal message was denied before: it stands before the bulk.
    expect(denial(await limits.take('bulk', [ZHANG]), NOON)).toEqual({ limit: 'lane', after: 64_500 });
    expect(mine(await limits.take('normal', [ZHANG]))).toHaveLength(1);
    expect(mine(await limits.take('bulk', [ZHANG]))).toHaveLength(1);
  });

  test('wait for nobody longer than two seconds', async () => {
    const limits = await harness.replica();
    await limits.settle(await limits.take('bulk', times(30, ZHANG)), 'sent');
    await limits.take('alert', [ZHANG]);
    clock.now = NOON + 62_499;
    expect(denial(await limits.take('bulk', [ZHANG]), NOON)).toEqual({ limit: 'lane', after: 62_500 });
    clock.now = NOON + 62_500;
    expect(mine(await limits.take('bulk', [ZHANG]))).toHaveLength(1);
  });

  test('never hold up the alert, and hold up nobody but the member', async () => {
    const limits = await harness.replica();
    await limits.settle(await limits.take('alert', times(30, ZHANG)), 'sent');
    await limits.take('bulk', [ZHANG]);
    await limits.take('normal', [ZHANG]);
    clock.now = NOON + 60_500;
    expect(mine(await limits.take('alert', [ZHANG]))).toHaveLength(1);
    expect(mine(await limits.take('bulk', ['user:lisi']))).toHaveLength(1);
  });
});

describe('a block', () => {
  test('of the app denies everybody but robots until it has passed', async () => {
    const [limits, other] = [await harness.replica(), await harness.replica()];
    await limits.block('app', clock.now + 60_000);
    for (const receiver of [ZHANG, 'user:@all', 'party:2', 'chat:c'] as const) {
      expect(denial(await other.take('alert', [receiver]), NOON)).toEqual({
        limit: 'blocked',
        after: 60_000,
      });
    }
    expect(mine(await other.take('alert', ['robot:ops']))).toHaveLength(1);
    clock.now = NOON + 60_000;
    expect(mine(await other.take('alert', [ZHANG, 'chat:c']))).toHaveLength(2);
  });

  test('of a robot denies this robot only', async () => {
    const limits = await harness.replica();
    await limits.block('robot:ops', clock.now + 60_000);
    const turns = await limits.take('alert', ['robot:ops', 'robot:dev', ZHANG]);
    expect(turns.map(({ isMine }) => isMine)).toEqual([false, true, true]);
    expect(denial(turns, NOON)).toEqual({ limit: 'blocked', after: 60_000 });
  });

  test('takes no turn from whom it denies', async () => {
    const limits = await harness.replica();
    await limits.block('app', clock.now + 60_000);
    await limits.take('alert', times(40, ZHANG));
    clock.now = NOON + 60_000;
    expect(mine(await limits.take('bulk', times(31, ZHANG)))).toHaveLength(30);
  });

  test('never gets shorter, but longer', async () => {
    const limits = await harness.replica();
    await limits.block('app', clock.now + 60_000);
    await limits.block('app', clock.now + 10_000);
    expect(denial(await limits.take('alert', [ZHANG]), NOON)?.after).toBe(60_000);
    await limits.block('app', clock.now + 70_000);
    expect(denial(await limits.take('alert', [ZHANG]), NOON)?.after).toBe(70_000);
  });

  test('that comes back right after its end lasts twice as long, up to an hour', async () => {
    const limits = await harness.replica();
    const lengths: number[] = [];
    for (let again = 0; again < 9; again += 1) {
      await limits.block('app', clock.now + 60_000);
      // Calls that were on their way are refused as well.
      clock.now += 100;
      await limits.block('app', clock.now + 59_900);
      clock.now -= 100;
      const length = denial(await limits.take('alert', [ZHANG]), clock.now)?.after ?? 0;
      lengths.push(length / 60_000);
      clock.now += length + 1000;
    }
    expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    clock.now += 30_000;
    await limits.block('app', clock.now + 60_000);
    expect(denial(await limits.take('alert', [ZHANG]), clock.now)?.after).toBe(60_000);
  });

  test('outlives a Redis that has forgotten its turns, when the block itself is still there', async () => {
    const limits = await harness.replica();
    await limits.block('app', clock.now + 60_000);
    await harness.restart();
    await expect
      .poll(async () => denial(await limits.take('alert', [ZHANG]).catch(() => []), NOON), {
        timeout: 15_000,
      })
      .toEqual({ limit: 'blocked', after: 60_000 });
  });
});
