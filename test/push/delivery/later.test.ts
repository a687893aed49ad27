import { beforeEach, expect, test } from 'vitest';
import type { NewReceiver } from '../../../src/push/content/message.ts';
import { eventually, flush, textTo, useStage } from './office.ts';

const stage = useStage();
const DAY_MS = 86_400_000;
let clock = 0;
beforeEach(() => {
  clock = Date.now();
});
const now = () => clock;
/** No timer sweeps: each test says when a second has passed. */
const quiet = { now: () => clock, sweepMs: 3_600_000 };

test('a message for tomorrow holds up nobody: what comes after it is sent at once, and it at its time', async () => {
  const office = stage.start({ now });
  const tomorrow = await office.accept(textTo('anna', 'tomorrow', { sendAt: clock + DAY_MS }));
  await stage.send(office, textTo('anna', 'today'));
  expect(stage.weCom.textsTo('user:anna')).toEqual(['today']);
  expect(await stage.deliveries(tomorrow.id)).toMatchObject([{ state: 'queued', line: null }]);
  clock += DAY_MS - 1;
  await office.sweep();
  expect(await stage.deliveries(tomorrow.id)).toMatchObject([{ line: null, wakes_at: clock + 1 }]);
  clock += 1;
  expect(await office.finished(tomorrow.id, 10_000)).toBe(true);
  expect(stage.weCom.textsTo('user:anna')).toEqual(['today', 'tomorrow']);
});

test('a Redis that has lost everything, and a restart, change nothing about it', async () => {
  const first = stage.start(quiet);
  const sendAt = clock + DAY_MS;
  const { id } = await first.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt }));
  await first.close();
  await flush(stage.redis.url);
  const office = stage.start(quiet);
  await office.sweepAll();
  await stage.send(office, textTo('anna', 'today'));
  expect(stage.weCom.sent).toHaveLength(1);
  clock = sendAt;
  await office.sweep();
  expect(await office.finished(id, 10_000)).toBe(true);
  expect(stage.weCom.sent.slice(1).map(({ to }) => to)).toEqual([['user:anna', 'user:bert']]);
});

test('when its time comes it stands behind what waits already, and two of one time in the order of coming', async () => {
  const office = stage.open(quiet);
  const sendAt = clock + 5000;
  const all = [
    await office.accept(textTo('anna', 'third', { sendAt })),
    await office.accept(textTo('anna', 'second', { sendAt: sendAt - 1 })),
    await office.accept(textTo('anna', 'fourth', { sendAt })),
    await office.accept(textTo('anna', 'first')),
  ];
  clock = sendAt;
  office.start();
  await Promise.all([office.sweep(), office.sweep(), office.sweepAll()]);
  for (const { id } of all) expect(await office.finished(id, 10_000)).toBe(true);
  expect(stage.weCom.textsTo('user:anna')).toEqual(['first', 'second', 'third', 'fourth']);
});

test('many of one time all join their lines with one sweep, each once, whoever sweeps', async () => {
  const [office, other] = [stage.open(quiet), stage.open(quiet)];
  const sendAt = clock + 5000;
  const receivers = Array.from(
    { length: 900 },
    (_, i): NewReceiver => ({ receiver: `user:u${i}`, variables: { NAME: `${i}` } }),
  );
  const content = { text: 'dear $' + '{NAME}' };
  for (let i = 0; i < 3; i += 1) {
    await office.accept(textTo([], '', { lane: 'bulk', content, receivers, variables: {}, sendAt }));
  }
  const lines = () =>
    stage.db.selectFrom('deliveries').select('line').where('line', 'is not', null).execute();
  expect(await lines()).toHaveLength(0);
  clock = sendAt;
  await Promise.all([office.sweep(), other.sweep()]);
  expect(await lines()).toHaveLength(2700);
  expect(await stage.db.selectFrom('deliveries').select('id').execute()).toHaveLength(2700);
  // One of each line is next.
  await eventually(() => office.queues[2]?.getWaitingCount()).toBe(900);
});

test('it can be taken back before its time, and is never sent', async () => {
  const office = stage.start(quiet);
  const { id } = await office.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt: clock + DAY_MS }));
  expect(await office.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(office.told).toEqual([id]);
  clock += DAY_MS;
  await office.sweep();
  await stage.send(office, textTo('anna', 'after'));
  expect(stage.weCom.textsTo('user:anna')).toEqual(['after']);
  const rows = await stage.deliveries(id);
  expect(rows.map(({ state, wakes_at }) => [state, wakes_at])).toEqual([
    ['recalled', null],
    ['recalled', null],
  ]);
});

test('recalls and sweeps at the same moment: each is taken back or sent, and none is left behind', async () => {
  const office = stage.start(quiet);
  const sendAt = clock + 5000;
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => office.accept(textTo([`a${i}`, `b${i}`], `${i}`, { sendAt }))),
  );
  clock = sendAt;
  await Promise.all([...all.map(({ id }) => office.recall('ci', id)), office.sweep(), office.sweep()]);
  for (const { id } of all) expect(await office.finished(id, 10_000)).toBe(true);
  const messages = await stage.db.selectFrom('messages').select(['open', 'receivers']).execute();
  expect(new Set(messages.map(({ open }) => open))).toEqual(new Set([0]));
  const rows = await stage.db.selectFrom('deliveries').select(['state', 'line', 'wakes_at']).execute();
  expect(rows).toHaveLength(60);
  expect(rows.every(({ line, wakes_at }) => line === null && wakes_at === null)).toBe(true);
  expect(rows.every(({ state }) => state === 'sent' || state === 'recalled')).toBe(true);
});

test('until its time it is no backlog', async () => {
  const office = stage.open(quiet);
  await office.accept(textTo('anna', 'later', { lane: 'bulk', sendAt: clock + 60_000 }));
  clock += 60_000;
  const bulk = async () => (await office.depth()).find(({ lane }) => lane === 'bulk');
  await office.sweep();
  clock += 500;
  expect(await bulk()).toEqual({ lane: 'bulk', queued: 1, oldestMs: 500 });
});
