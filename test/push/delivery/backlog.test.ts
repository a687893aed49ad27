import { expect, test } from 'vitest';
import type { Waiting } from '../../../src/push/queue/backlog-store.ts';
import { createBacklog } from '../../../src/push/queue/backlog-store.ts';

const waiting = (more: Partial<Waiting>): Waiting => ({
  ...{ lane: 'normal', account: 'default', waiting: 0, queued: 0, oldestMs: 0 },
  ...more,
});

/** A backlog of which each count is answered by hand. */
function scripted() {
  const clock = { now: 1_000_000 };
  const counts: PromiseWithResolvers<readonly Waiting[]>[] = [];
  const errors: unknown[] = [];
  const backlog = createBacklog({
    count() {
      const asked = Promise.withResolvers<readonly Waiting[]>();
      counts.push(asked);
      return asked.promise;
    },
    now: () => clock.now,
    onError: (error) => errors.push(error),
  });
  const normal = async () =>
    (await backlog.due()).find(({ lane, account }) => lane === 'normal' && account === 'default')?.queued;
  return { clock, counts, errors, backlog, normal };
}

test('what waits is told by lane and account, and by account, over all lanes', async () => {
  const { counts, backlog } = scripted();
  const both = Promise.all([backlog.due(), backlog.byAccount()]);
  counts[0]?.resolve([
    waiting({ lane: 'alert', waiting: 2, queued: 1, oldestMs: 7 }),
    // Counted in two pieces.
    waiting({ lane: 'alert', waiting: 2, queued: 2, oldestMs: 9 }),
    waiting({ lane: 'alert', account: 'shop', waiting: 3, queued: 3, oldestMs: 8 }),
    waiting({ lane: 'bulk', waiting: 1 }),
    waiting({ account: '', waiting: 4, queued: 4, oldestMs: 1 }),
  ]);
  const [lanes, accounts] = await both;
  expect(lanes).toEqual([
    { lane: 'alert', account: 'default', queued: 3, oldestMs: 9 },
    { lane: 'alert', account: 'shop', queued: 3, oldestMs: 8 },
    { lane: 'alert', account: '', queued: 0, oldestMs: 0 },
    { lane: 'normal', account: '', queued: 4, oldestMs: 1 },
    { lane: 'bulk', account: 'default', queued: 0, oldestMs: 0 },
    { lane: 'bulk', account: '', queued: 0, oldestMs: 0 },
  ]);
  expect(Object.fromEntries(accounts)).toEqual({ default: 5, shop: 3 });
  // Whoever asks at the same moment shares the count.
  expect(counts).toHaveLength(1);
});

test('little is counted each time; a million, for which an index is read for long, once in 20 s', async () => {
  const { clock, counts, normal } = scripted();
  const ask = (total: number) => {
    const asked = normal();
    counts.at(-1)?.resolve([waiting({ waiting: total, queued: total })]);
    return asked;
  };
  expect(await ask(49)).toBe(49);
  expect(await ask(48)).toBe(48);
  expect(await ask(1_000_000)).toBe(1_000_000);
  expect(counts).toHaveLength(3);
  clock.now += 19_999;
  expect(await normal()).toBe(1_000_000);
  expect(counts).toHaveLength(3);
  clock.now += 1;
  await normal();
  expect(counts).toHaveLength(4);
});

test('nobody waits for a count of very many: they get the last one, and the next ones the new', async () => {
  const { clock, counts, errors, normal } = scripted();
  const first = normal();
  counts[0]?.resolve([waiting({ waiting: 300_000, queued: 300_000 })]);
  expect(await first).toBe(300_000);
  clock.now += 6000;
  expect(await normal()).toBe(300_000);
  expect(await normal()).toBe(300_000);
  expect(counts).toHaveLength(2);
  counts[1]?.reject(new Error('the database is away'));
  await expect.poll(() => errors).toHaveLength(1);
  expect(await normal()).toBe(300_000);
  counts[2]?.resolve([waiting({ waiting: 300_001, queued: 300_001 })]);
  await expect.poll(normal).toBe(300_001);
  expect(counts).toHaveLength(3);
});

test('of little it is told that it could not be counted, and the next who asks counts again', async () => {
  const { counts, normal } = scripted();
  const asked = normal();
  counts[0]?.reject(new Error('the database is away'));
  await expect(asked).rejects.toThrow('away');
  const again = normal();
  counts[1]?.resolve([waiting({ waiting: 7, queued: 7 })]);
  expect(await again).toBe(7);
});
