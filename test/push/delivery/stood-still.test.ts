import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLeases } from '../../../src/push/queue/leases.ts';
import { renewLeases } from '../../../src/push/queue/line-store.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

// A process, or a database, that stands still at the worst moments: each receiver has one call at a time all the same.

const harness = useDeliveryHarness();

/** Calls that take a while; how many were under way at most. */
function slowCalls(ms = 400): () => number {
  let [underWay, most] = [0, 0];
  harness.weCom.script = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await sleep(ms);
    underWay -= 1;
    return undefined;
  };
  return () => most;
}

test('between the look and the claim: a lease is not believed to be longer than it is', async () => {
  let shift = 0;
  let looks = 0;
  const now = () => Date.now() + shift;
  // Longer than the other needs to come to it.
  const most = slowCalls(2000);
  const one = harness.open({
    now,
    // The database has said what time it is in the second look, that for other lanes than alerts.
    databaseNow: () => {
      const at = now();
      if (new Error().stack?.includes('readDue') && ++looks === 2) shift += 20_000;
      return at;
    },
  });
  const other = harness.open({ now });
  const { id } = await other.accept(textTo('anna', 'hello'));
  one.start();
  await eventually(() => looks).toBeGreaterThan(1);
  other.start();
  expect(await other.finished(id, 10_000)).toBe(true);
  expect(most()).toBe(1);
  expect(harness.weCom.sent).toHaveLength(1);
});

test('while it makes a message ready: it does not send beside its own next claim', async () => {
  let shift = 0;
  const ready: (() => void)[] = [];
  const most = slowCalls();
  const replica = harness.start({
    now: () => Date.now() + shift,
    media: { mediaId: () => new Promise((resolve) => ready.push(() => resolve('media-1'))) },
  });
  const content = { image: { sha256: 'a'.repeat(64), name: '' } };
  const { id } = await replica.accept({ ...textTo('anna', ''), content });
  await eventually(() => ready.length).toBe(1);
  shift += 20_000;
  await eventually(() => ready.length).toBe(2);
  for (const go of ready) go();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(most()).toBe(1);
  expect(harness.weCom.sent).toHaveLength(1);
});

test('a lease of another owner on the same line is not ours', () => {
  const leases = createLeases(harness.db, () => 20_000);
  leases.hold(['normal:user:anna'], 'old', 0);
  leases.hold(['normal:user:anna'], 'new', 20_000);
  expect(leases.isHeld('normal:user:anna', 'old')).toBe(false);
  expect(leases.isHeld('normal:user:anna', 'new')).toBe(true);
});

test.each([
  ['making ready', { ready: 9000, claim: 0 }],
  ['the claim', { ready: 0, claim: 9000 }],
])('for most of a lease in %s: it is renewed, and the call is made', async (_when, slow) => {
  let shift = 0;
  const replica = harness.start({
    now: () => Date.now() + shift,
    isDisabled: async () => {
      shift += slow.ready;
      return false;
    },
    windowsOf: () => {
      shift += slow.claim;
      return null;
    },
  });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 0, tries: 1 }]);
  expect(await harness.db.selectFrom('sent_days').select('used').execute()).toEqual([{ used: 1 }]);
});

test('longer than its lease before the call: nothing was sent, and nothing is said to be', async () => {
  let shift = 0;
  let isSlow = true;
  const replica = harness.start({
    now: () => Date.now() + shift,
    isDisabled: async () => {
      if (isSlow) shift += 14_000;
      isSlow = false;
      return false;
    },
  });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.attempts(id)).toHaveLength(1);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 0 }]);
  expect(await harness.db.selectFrom('sent_days').select('used').execute()).toEqual([{ used: 1 }]);
});

test('a lost call to a thousand whose leases were renewed is repeated as the same call', async () => {
  const replica = harness.open();
  const users = Array.from({ length: 1000 }, (_, i) => `u${String(i).padStart(4, '0')}`);
  const { id } = await replica.accept(textTo(users, 'hello'));
  const rows = await harness.deliveries(id);
  const later = Date.now() + 60_000;
  const owned = { owner: 'somebody-else', due_at: later };
  await harness.db.updateTable('delivery_lines').set(owned).execute();
  const held = new Map(rows.map(({ line }) => [line ?? '', 'somebody-else']));
  await renewLeases(harness.db, held);
  const ends = await harness.db.selectFrom('delivery_lines').select('due_at').distinct().execute();
  expect(ends).toHaveLength(1);
  expect(ends[0]?.due_at).toBeLessThan(later);
});
