import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, expect, test, vi } from 'vitest';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** Rests of loops that are under way: each ends when `end` is called, and not by itself. */
function holdRests() {
  const held = new Map<NodeJS.Timeout, { readonly ms: number; readonly end: () => void }>();
  const { setTimeout: begin, clearTimeout: clear } = globalThis;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms = 0) => {
    // The pace of claims and records is no rest.
    if (ms <= 10) return begin(end, ms);
    const timer = begin(() => {}, 0);
    held.set(timer, { ms, end });
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation(((timer: NodeJS.Timeout) => {
    held.delete(timer);
    clear(timer);
  }) as typeof clearTimeout);
  return {
    /** How many rests of at most so many ms are under way. */
    count: (ms: number) => [...held.values()].filter((rest) => rest.ms <= ms).length,
    /** Ends those, of at least so many. */
    end(ms: number, least = 0) {
      for (const [timer, rest] of held) {
        if (rest.ms > ms || rest.ms < least) continue;
        held.delete(timer);
        rest.end();
      }
    },
  };
}

test('what another replica has accepted is found by one look within 90 ms, alerts first, the rest after them', async () => {
  const rests = holdRests();
  const claimed: string[] = [];
  const replica = harness.start({
    windowsOf: (receiver) => {
      claimed.push(receiver);
      return null;
    },
  });
  // The claimer of alerts, and who looks for what others have finished; the other claimer rests for a second.
  await eventually(() => rests.count(240)).toBe(2);
  await eventually(() => rests.count(1000)).toBe(3);
  const other = harness.open();
  await other.accept(textTo('bert', 'normal'));
  await other.accept(textTo('carl', 'bulk', { lane: 'bulk' }));
  await other.accept(textTo('anna', 'alert', { lane: 'alert' }));
  expect(harness.weCom.sent).toEqual([]);
  expect(rests.count(90)).toBe(1);
  rests.end(90);
  await eventually(() => harness.weCom.sent.length).toBe(3);
  // In the order of claims: which of two calls under way is the first at WeCom, nobody decides.
  expect(claimed[0]).toBe('user:anna');
  expect(replica.errors).toEqual([]);
});

test('a claimer that is held up keeps nobody from looking: the other looks by itself after a second', async () => {
  const rests = holdRests();
  const replica = harness.start();
  await eventually(() => rests.count(1000)).toBe(3);
  const other = harness.open();
  await other.accept(textTo('bert', 'normal'));
  rests.end(1000, 1000);
  await eventually(() => harness.weCom.textsTo('user:bert')).toEqual(['normal']);
  expect(rests.count(90)).toBe(1);
  expect(replica.errors).toEqual([]);
});

test('what a replica has accepted itself is claimed at once, without a look', async () => {
  const rests = holdRests();
  const replica = harness.start();
  await eventually(() => rests.count(1000)).toBe(3);
  for (const lane of ['bulk', 'normal', 'alert'] as const) {
    const { id } = await replica.accept(textTo('anna', lane, { lane }));
    await eventually(async () => (await harness.deliveries(id))[0]?.state).toBe('sent');
  }
  expect(harness.weCom.textsTo('user:anna')).toEqual(['bulk', 'normal', 'alert']);
});

test.each([
  ['normal', 1000],
  ['alert', 90],
] as const)('a claimer of the lane %s rests no longer than until the next of it is due', async (lane, ms) => {
  const rests = holdRests();
  const clock = Date.now();
  const replica = harness.start({ now: () => clock });
  await eventually(() => rests.count(1000)).toBe(3);
  const soon = rests.count(ms - 30);
  await replica.accept(textTo('anna', 'hello', { lane, sendAt: clock + ms - 30 }));
  await eventually(() => rests.count(ms - 30)).toBe(soon + 1);
  expect(harness.weCom.sent).toEqual([]);
});

test('while the database cannot be asked a claimer rests a second between its looks, and then goes on', async () => {
  const rests: { readonly ms: number; readonly end: () => void }[] = [];
  vi.spyOn(timers, 'setTimeout').mockImplementation(((ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    rests.push({ ms, end: resolve });
    return promise;
  }) as typeof timers.setTimeout);
  syncBuiltinESMExports();
  const replica = harness.open();
  await replica.accept(textTo('anna', 'hello'));
  await sql`rename table delivery_lines to lines_away`.execute(harness.db);
  try {
    replica.start();
    // The claimers of alerts and of the rest.
    await eventually(() => rests.map(({ ms }) => ms)).toEqual([1000, 1000]);
    replica.wake();
    for (const { end } of rests.splice(0)) end();
    await eventually(() => rests.map(({ ms }) => ms)).toEqual([1000, 1000]);
    expect(replica.errors).toHaveLength(4);
  } finally {
    await sql`rename table lines_away to delivery_lines`.execute(harness.db);
  }
  replica.wake();
  for (const { end } of rests) end();
  await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['hello']);
});
