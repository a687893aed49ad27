import { expect, test } from 'vitest';
import { eventually, flush, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

/** Leaves a delivery as a worker leaves it that was killed while it called WeCom. */
async function killed(messageId: string, leaseUntil: number): Promise<void> {
  await harness.db
    .updateTable('deliveries')
    .set((is) => ({
      state: 'sending',
      busy: is.ref('line'),
      lease_owner: 'somebody-else',
      lease_until: leaseUntil,
    }))
    .where('message_id', '=', messageId)
    .execute();
}

test('what a killed worker left behind is sent when its lease is over, flagged and with the check for repeats', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  const until = Date.now() + 1000;
  await killed(id, until);
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent).toMatchObject([{ onceWithinSeconds: expect.any(Number) }]);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 1 }]);
  const [attempt] = await harness.attempts(id);
  expect(attempt?.at).toBeGreaterThanOrEqual(until);
});

test('nobody of a line is sent while another of it is in flight, also one that came in before it later', async () => {
  const replica = harness.open();
  const early = await replica.accept(textTo('anna', 'committed late'));
  const { id } = await replica.accept(textTo('anna', 'in flight'));
  await killed(id, Date.now() + 2000);
  replica.start();
  await replica.sweepAll();
  expect(await replica.finished(early.id, 10_000)).toBe(true);
  // The one in flight ended first, although the other has the lower id.
  expect(harness.weCom.textsTo('user:anna')).toEqual(['in flight', 'committed late']);
  expect(replica.errors).toEqual([]);
});

test('one that is committed late does not overtake the one in flight', async () => {
  const replica = harness.start({ concurrency: 2 });
  let free = (): void => {};
  harness.weCom.script = ({ message }) =>
    message.body.content === 'in flight'
      ? new Promise((resolve) => {
          free = () => resolve(undefined);
        })
      : undefined;
  await replica.accept(textTo('anna', 'in flight'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const late = await replica.accept(textTo('anna', 'late'));
  await harness.db.updateTable('deliveries').set({ id: -1 }).where('message_id', '=', late.id).execute();
  await replica.queues[1]?.add('send', {}, { jobId: 'd-1' });
  // It goes through the same queue, behind the job of the late one.
  await harness.send(replica, textTo('bert', 'after it'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['in flight']);
  free();
  expect(await replica.finished(late.id, 10_000)).toBe(true);
});

test('a job of one that is not next in its line sends nothing', async () => {
  const replica = harness.open();
  const first = await replica.accept(textTo('anna', 'first'));
  await harness.db
    .updateTable('deliveries')
    .set({ due_at: Date.now() + 1500 })
    .execute();
  const second = await replica.accept(textTo('anna', 'second'));
  replica.start();
  const [row] = await harness.deliveries(second.id);
  await replica.queues[1]?.add('send', {}, { jobId: `d${row?.id}` });
  expect(await replica.finished(second.id, 10_000)).toBe(true);
  expect(await replica.finished(first.id, 1000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second']);
});

test('the database itself refuses a second of a line in flight', async () => {
  const replica = harness.open();
  const one = await replica.accept(textTo('anna', 'one'));
  const two = await replica.accept(textTo('anna', 'two'));
  await killed(one.id, Date.now() + 60_000);
  await expect(killed(two.id, Date.now() + 60_000)).rejects.toThrow(/Duplicate entry/);
});

test('a worker that stood still longer than its lease notes nothing over whoever took its delivery up', async () => {
  const replica = harness.start();
  let free = (): void => {};
  harness.weCom.script = () =>
    new Promise((resolve) => {
      free = () => resolve(undefined);
    });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  await killed(id, Date.now() + 60_000);
  free();
  expect(await replica.finished(id, 500)).toBe(false);
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'sending', lease_owner: 'somebody-else', parts: 0 },
  ]);
  expect(await harness.attempts(id)).toEqual([]);
});

test('a call that takes longer than a lease keeps it', async () => {
  let shift = 0;
  const replica = harness.start({ now: () => Date.now() + shift });
  let free = (): void => {};
  harness.weCom.script = () =>
    new Promise((resolve) => {
      free = () => resolve(undefined);
    });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const lease = async () => (await harness.deliveries(id))[0]?.lease_until ?? 0;
  const first = await lease();
  shift = 9000;
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
  await flush(harness.redis.url);
  const next = harness.start();
  await Promise.all(all.map(async ({ id }) => expect(await next.finished(id, 10_000)).toBe(true)));
  expect(harness.weCom.sent).toHaveLength(6);
});

test('what WeCom has done is noted also when the database refuses it at first, and others are not held up', async () => {
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
});
