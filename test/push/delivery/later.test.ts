import { beforeEach, expect, test } from 'vitest';
import type { NewReceiver } from '../../../src/push/content/message.ts';
import { eventually, flush, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const DAY_MS = 86_400_000;
let clock = 0;
beforeEach(() => {
  clock = Date.now();
});
const now = () => clock;
/** No timer sweeps: each test says when a second has passed. */
const quiet = { now: () => clock, sweepMs: 3_600_000 };

test('a message for tomorrow holds up nobody: what comes after it is sent at once, and it at its time', async () => {
  const replica = harness.start({ now });
  const tomorrow = await replica.accept(textTo('anna', 'tomorrow', { sendAt: clock + DAY_MS }));
  await harness.send(replica, textTo('anna', 'today'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['today']);
  expect(await harness.deliveries(tomorrow.id)).toMatchObject([{ state: 'queued', line: null }]);
  clock += DAY_MS - 1;
  await replica.sweep();
  expect(await harness.deliveries(tomorrow.id)).toMatchObject([{ line: null, wakes_at: clock + 1 }]);
  clock += 1;
  expect(await replica.finished(tomorrow.id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['today', 'tomorrow']);
});

test('a Redis that has lost everything, and a restart, change nothing about it', async () => {
  const first = harness.start(quiet);
  const sendAt = clock + DAY_MS;
  const { id } = await first.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt }));
  await first.close();
  await flush(harness.redis.url);
  const replica = harness.start(quiet);
  await replica.sweepAll();
  await harness.send(replica, textTo('anna', 'today'));
  expect(harness.weCom.sent).toHaveLength(1);
  clock = sendAt;
  await replica.sweep();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent.slice(1).map(({ to }) => to)).toEqual([['user:anna', 'user:bert']]);
});

test('when its time comes it stands behind what waits already, and two of one time in the order of coming', async () => {
  const replica = harness.open(quiet);
  const sendAt = clock + 5000;
  const all = [
    await replica.accept(textTo('anna', 'third', { sendAt })),
    await replica.accept(textTo('anna', 'second', { sendAt: sendAt - 1 })),
    await replica.accept(textTo('anna', 'fourth', { sendAt })),
    await replica.accept(textTo('anna', 'first')),
  ];
  clock = sendAt;
  replica.start();
  await Promise.all([replica.sweep(), replica.sweep(), replica.sweepAll()]);
  for (const { id } of all) expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second', 'third', 'fourth']);
});

test('many of one time all join their lines with one sweep, each once, whoever sweeps', async () => {
  const [replica, other] = [harness.open(quiet), harness.open(quiet)];
  const sendAt = clock + 5000;
  const receivers = Array.from(
    { length: 900 },
    (_, i): NewReceiver => ({ receiver: `user:u${i}`, variables: { NAME: `${i}` } }),
  );
  const content = { text: 'dear $' + '{NAME}' };
  for (let i = 0; i < 3; i += 1) {
    await replica.accept(textTo([], '', { lane: 'bulk', content, receivers, variables: {}, sendAt }));
  }
  const lines = () =>
    harness.db.selectFrom('deliveries').select('line').where('line', 'is not', null).execute();
  expect(await lines()).toHaveLength(0);
  clock = sendAt;
  await Promise.all([replica.sweep(), other.sweep()]);
  expect(await lines()).toHaveLength(2700);
  expect(await harness.db.selectFrom('deliveries').select('id').execute()).toHaveLength(2700);
  // One of each line is next; what Redis did not take on a busy machine is swept up.
  await eventually(async () => {
    await replica.sweep();
    return replica.queues[2]?.getWaitingCount();
  }).toBe(900);
});

test('it can be taken back before its time, and is never sent', async () => {
  const replica = harness.start(quiet);
  const { id } = await replica.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt: clock + DAY_MS }));
  expect(await replica.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(replica.finishedIds).toEqual([id]);
  clock += DAY_MS;
  await replica.sweep();
  await harness.send(replica, textTo('anna', 'after'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['after']);
  const rows = await harness.deliveries(id);
  expect(rows.map(({ state, wakes_at }) => [state, wakes_at])).toEqual([
    ['recalled', null],
    ['recalled', null],
  ]);
});

test('recalls and sweeps at the same moment: each is taken back or sent, and none is left behind', async () => {
  const replica = harness.start(quiet);
  const sendAt = clock + 5000;
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => replica.accept(textTo([`a${i}`, `b${i}`], `${i}`, { sendAt }))),
  );
  clock = sendAt;
  await Promise.all([...all.map(({ id }) => replica.recall('ci', id)), replica.sweep(), replica.sweep()]);
  for (const { id } of all) expect(await replica.finished(id, 10_000)).toBe(true);
  const messages = await harness.db.selectFrom('messages').select(['open', 'receivers']).execute();
  expect(new Set(messages.map(({ open }) => open))).toEqual(new Set([0]));
  const rows = await harness.db.selectFrom('deliveries').select(['state', 'line', 'wakes_at']).execute();
  expect(rows).toHaveLength(60);
  expect(rows.every(({ line, wakes_at }) => line === null && wakes_at === null)).toBe(true);
  expect(rows.every(({ state }) => state === 'sent' || state === 'recalled')).toBe(true);
});

test('until its time it is no backlog', async () => {
  const replica = harness.open(quiet);
  await replica.accept(textTo('anna', 'later', { lane: 'bulk', sendAt: clock + 60_000 }));
  clock += 60_000;
  const bulk = async () => (await replica.depth()).find(({ lane }) => lane === 'bulk');
  await replica.sweep();
  clock += 500;
  expect(await bulk()).toEqual({ lane: 'bulk', queued: 1, oldestMs: 500 });
});
