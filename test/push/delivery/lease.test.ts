import { expect, test } from 'vitest';
import { NEVER } from '../../../src/push/database/delivery-tables.ts';
import { createLeases } from '../../../src/push/queue/leases.ts';
import { LEASE_MS } from '../../../src/push/queue/line-store.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

/** Leaves a delivery as a replica leaves it that was killed while it called WeCom. */
async function killed(messageId: string, leaseEnd: number): Promise<void> {
  const [row] = await harness.deliveries(messageId);
  await harness.db
    .updateTable('deliveries')
    .set({ state: 'sending' })
    .where('message_id', '=', messageId)
    .execute();
  await harness.db
    .updateTable('delivery_lines')
    .set({ owner: 'somebody-else', delivery_id: row?.id ?? 0, due_at: leaseEnd })
    .where('line', '=', row?.line ?? '')
    .execute();
}

const lines = () => harness.db.selectFrom('delivery_lines').selectAll().execute();

/** A call that hangs until it is let go. */
function hanging(): () => void {
  let free = (): void => {};
  harness.weCom.script = () =>
    new Promise((resolve) => {
      free = () => resolve(undefined);
    });
  return () => free();
}

test('what a killed replica left behind is sent when its lease is over, flagged and with the check for repeats', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  const until = Date.now() + 1000;
  await killed(id, until);
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent).toMatchObject([{ onceWithinSeconds: expect.any(Number) }]);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 1 }]);
  // The call of the other counts against the limits, too.
  const [lost, attempt] = await harness.attempts(id);
  expect(lost).toMatchObject({ errcode: 'lost', target: 'user:anna' });
  expect(attempt).toMatchObject({ errcode: '0', target: 'user:anna' });
  expect(attempt?.at).toBeGreaterThanOrEqual(until);
});

test('a call to many that was lost is repeated as the same call, however few calls may be under way', async () => {
  const replica = harness.open({ concurrency: 3 });
  const users = Array.from({ length: 60 }, (_, i) => `u${i}`);
  const { id } = await replica.accept(textTo(users, 'hello'));
  // Leases are renewed some at a time: their ends differ a little.
  await harness.db.updateTable('deliveries').set({ state: 'sending' }).execute();
  const rows = await harness.deliveries(id);
  for (const [index, row] of rows.entries()) {
    await harness.db
      .updateTable('delivery_lines')
      .set({ owner: 'somebody-else', delivery_id: row.id, due_at: Date.now() - 100 + (index % 3) })
      .where('line', '=', row.line ?? '')
      .execute();
  }
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent.map(({ to }) => to.length)).toEqual([60]);
});

test('nobody of a line is sent while another of it is in flight, also one that came before it and was committed later', async () => {
  const replica = harness.open();
  const early = await replica.accept(textTo('anna', 'committed late'));
  const { id } = await replica.accept(textTo('anna', 'in flight'));
  await killed(id, Date.now() + 2000);
  replica.start();
  expect(await replica.finished(early.id, 10_000)).toBe(true);
  // The one in flight ended first, although the other stands before it.
  expect(harness.weCom.textsTo('user:anna')).toEqual(['in flight', 'committed late']);
  expect(replica.errors).toEqual([]);
});

test('one that is put before the one in flight waits for its end', async () => {
  const replica = harness.start({ concurrency: 2 });
  const free = hanging();
  await replica.accept(textTo('anna', 'in flight'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const late = await replica.accept(textTo('anna', 'late'));
  await harness.db.updateTable('deliveries').set({ since: 0 }).where('message_id', '=', late.id).execute();
  harness.weCom.script = () => undefined;
  await harness.send(replica, textTo('bert', 'after it'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['in flight']);
  free();
  expect(await replica.finished(late.id, 10_000)).toBe(true);
});

test('a line in which something is in flight stays with whoever sends it, also when what waits behind that is taken back', async () => {
  const replica = harness.start({ concurrency: 2 });
  const free = hanging();
  const { id } = await replica.accept(textTo('anna', 'in flight'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const back = await replica.accept(textTo('anna', 'taken back'));
  const next = await replica.accept(textTo('anna', 'next'));
  const before = await lines();
  expect(await replica.recall('ci', back.id)).toMatchObject({ recalled: 1 });
  expect(await lines()).toMatchObject([{ owner: before[0]?.owner, delivery_id: before[0]?.delivery_id }]);
  harness.weCom.script = () => undefined;
  free();
  for (const each of [id, next.id]) expect(await replica.finished(each, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['in flight', 'next']);
});

test("a line that is in other hands, or in nobody's, is renewed by its owner alone", async () => {
  const replica = harness.open();
  await replica.accept(textTo(['anna', 'bert', 'carl'], 'hello'));
  const later = Date.now() + 60_000;
  for (const [user, owner] of [
    ['anna', 'us'],
    ['bert', 'somebody-else'],
    ['carl', null],
  ] as const) {
    const change = harness.db.updateTable('delivery_lines').set({ owner, due_at: later });
    await change.where('line', '=', `normal:user:${user}`).execute();
  }
  const leases = createLeases(harness.db, Date.now);
  leases.hold(
    ['anna', 'bert', 'carl'].map((user) => `normal:user:${user}`),
    'us',
    Date.now(),
  );
  await leases.renew();
  const renewed = (await lines()).filter(({ due_at }) => due_at !== later);
  expect(renewed).toMatchObject([{ line: 'normal:user:anna', owner: 'us' }]);
});

test('what waits for another try holds up its line', async () => {
  const replica = harness.open();
  const first = await replica.accept(textTo('anna', 'first'));
  await harness.db
    .updateTable('deliveries')
    .set({ due_at: Date.now() + 1500 })
    .execute();
  const second = await replica.accept(textTo('anna', 'second'));
  replica.start();
  expect(await replica.finished(second.id, 10_000)).toBe(true);
  expect(await replica.finished(first.id, 1000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second']);
});

test('a replica that stood still longer than its lease records nothing over whoever took its delivery up', async () => {
  const replica = harness.start();
  const free = hanging();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  await killed(id, Date.now() + 60_000);
  free();
  expect(await replica.finished(id, 500)).toBe(false);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sending', parts: 0 }]);
  expect(await lines()).toMatchObject([{ owner: 'somebody-else' }]);
  expect(await harness.attempts(id)).toEqual([]);
});

test('a replica that stood still between its claim and the call sends nothing', async () => {
  let shift = 0;
  let times = 0;
  const replica = harness.start({
    now: () => Date.now() + shift,
    isDisabled: async () => {
      // Longer than a lease.
      shift += 20_000;
      times += 1;
      return false;
    },
  });
  await replica.accept(textTo('anna', 'hello'));
  await eventually(() => times).toBeGreaterThanOrEqual(3);
  expect(harness.weCom.sent).toEqual([]);
});

test('a call is not begun that could outlast its lease', () => {
  let now = 0;
  const leases = createLeases(harness.db, () => now);
  const letGo = leases.hold(['normal:user:anna'], 'us', 0);
  now = LEASE_MS - 7001;
  expect(leases.isHeld('normal:user:anna', 'us')).toBe(true);
  now = LEASE_MS - 7000;
  expect(leases.isHeld('normal:user:anna', 'us')).toBe(false);
  letGo();
});

test('a call that takes longer than a lease keeps it', async () => {
  let shift = 0;
  const replica = harness.start({ now: () => Date.now() + shift });
  const free = hanging();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const lease = async () => (await lines())[0]?.due_at ?? 0;
  const first = await lease();
  shift = 6000;
  await eventually(lease).toBeGreaterThan(first);
  expect(await replica.finished(id, 10)).toBe(false);
  free();
  expect(await replica.finished(id, 5000)).toBe(true);
  expect(harness.weCom.sent).toHaveLength(1);
});

test('a replica that ends finishes its calls first, and leaves the rest to others', async () => {
  const replica = harness.start({ concurrency: 2 });
  const frees: (() => void)[] = [];
  harness.weCom.script = () => new Promise((resolve) => frees.push(() => resolve(undefined)));
  const all = await Promise.all(
    Array.from({ length: 6 }, (_, i) => replica.accept(textTo(`u${i}`, 'hello'))),
  );
  await eventually(() => frees.length).toBe(2);
  const closed = replica.close();
  harness.weCom.script = () => undefined;
  for (const free of frees) free();
  await closed;
  const rows = await harness.db.selectFrom('deliveries').select('state').execute();
  const states = rows.map(({ state }) => state).toSorted();
  expect(states.filter((state) => state !== 'queued')).toEqual(Array(harness.weCom.sent.length).fill('sent'));
  expect(states).toContain('queued');
  const next = harness.start();
  await Promise.all(all.map(async ({ id }) => expect(await next.finished(id, 10_000)).toBe(true)));
  expect(harness.weCom.sent).toHaveLength(6);
});

test('what WeCom has done is recorded also when the database refuses it at first, and others are not held up', async () => {
  let refusals = 3;
  const webhooks = {
    note: async () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('the database refuses');
    },
    wake: () => {},
  };
  const replica = harness.start({ webhooks });
  const all = await Promise.all(
    Array.from({ length: 5 }, (_, i) => replica.accept(textTo(`u${i}`, 'hello'))),
  );
  await Promise.all(all.map(async ({ id }) => expect(await replica.finished(id, 10_000)).toBe(true)));
  expect(harness.weCom.sent).toHaveLength(5);
  const attempts = await harness.db.selectFrom('attempts').select('id').execute();
  expect(attempts).toHaveLength(5);
  expect((await lines()).map(({ due_at }) => due_at)).toEqual(Array(5).fill(NEVER));
});
