import { expect, test, vi } from 'vitest';
import { createBatcher } from '../../src/server/batch.ts';

/** A batcher whose batches end when the test says so. */
function batcher(size: number, parallel: number) {
  const batches: { readonly calls: readonly number[]; end(): void; fail(error: Error): void }[] = [];
  const call = createBatcher<number, string>(
    (calls) =>
      new Promise((resolve, reject) => {
        batches.push({ calls, end: () => resolve(calls.map((each) => `${each}!`)), fail: reject });
      }),
    { size, parallel },
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { call, batches, turn, lists: () => batches.map(({ calls }) => calls) };
}

test('calls of one turn go together, up to the size, and later ones wait while a batch is under way', async () => {
  const { call, batches, lists, turn } = batcher(2, 1);
  const answers = Promise.all([1, 2, 3].map(call));
  await turn();
  const later = call(4);
  await turn();
  expect(lists()).toEqual([[1, 2]]);
  batches[0]?.end();
  await turn();
  await turn();
  expect(lists()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  batches[1]?.end();
  expect(await answers).toEqual(['1!', '2!', '3!']);
  expect(await later).toBe('4!');
});

test('a batch that fails fails its own calls only, and the next goes on', async () => {
  const { call, batches, turn } = batcher(1, 1);
  const [first, second] = [call(1), call(2)];
  await turn();
  batches[0]?.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await turn();
  batches[1]?.end();
  expect(await second).toBe('2!');
});

test('as many batches are under way as may be', async () => {
  const { call, lists, turn } = batcher(1, 2);
  for (const each of [1, 2, 3]) void call(each);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  expect(lists()).toEqual([[1], [2]]);
});

test('calls that weigh much fill a batch sooner, and one that weighs more than a batch goes alone', async () => {
  const lists: (readonly number[])[] = [];
  const call = createBatcher<number, null>(
    async (calls) => {
      lists.push(calls);
      return calls.map(() => null);
    },
    { size: 10, parallel: 1, weigh: (each) => each },
  );
  await Promise.all([4, 6, 1, 25, 3].map(call));
  expect(lists).toEqual([[4, 6], [1], [25], [3]]);
});

test('a batch may wait for more calls', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  try {
    const lists: (readonly number[])[] = [];
    const call = createBatcher<number, null>(
      async (calls) => {
        lists.push(calls);
        return calls.map(() => null);
      },
      { size: 10, parallel: 1, waitMs: 5 },
    );
    const first = call(1);
    await vi.advanceTimersByTimeAsync(4);
    const second = call(2);
    expect(lists).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all([first, second]);
    expect(lists).toEqual([[1, 2]]);
  } finally {
    vi.useRealTimers();
  }
});
