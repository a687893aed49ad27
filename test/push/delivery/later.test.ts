import { beforeEach, expect, test } from 'vitest';
import type { NewReceiver } from '../../../src/push/content/message.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const DAY_MS = 86_400_000;
let clock = 0;
beforeEach(() => {
  clock = Date.now();
});
const now = () => clock;

test('a message for tomorrow holds up nobody: what comes after it is sent at once, and it at its time', async () => {
  const replica = harness.start({ now });
  const tomorrow = await replica.accept(textTo('anna', 'tomorrow', { sendAt: clock + DAY_MS }));
  await harness.send(replica, textTo('anna', 'today'));
  clock += DAY_MS - 1;
  await harness.send(replica, textTo('anna', 'a moment before'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['today', 'a moment before']);
  expect(await harness.deliveries(tomorrow.id)).toMatchObject([{ state: 'queued', tries: 0 }]);
  clock += 1;
  expect(await replica.finished(tomorrow.id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['today', 'a moment before', 'tomorrow']);
});

test('a restart changes nothing about it', async () => {
  const first = harness.start({ now });
  const sendAt = clock + DAY_MS;
  const { id } = await first.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt }));
  await first.close();
  const replica = harness.start({ now });
  await harness.send(replica, textTo('anna', 'today'));
  expect(harness.weCom.sent).toHaveLength(1);
  clock = sendAt;
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent.slice(1).map(({ to }) => to)).toEqual([['user:anna', 'user:bert']]);
});

test('when its time comes it stands behind what waits already, and two of one time in the order of coming', async () => {
  const replica = harness.open({ now });
  const sendAt = clock + 5000;
  const all = [
    await replica.accept(textTo('anna', 'third', { sendAt })),
    await replica.accept(textTo('anna', 'second', { sendAt: sendAt - 1 })),
    await replica.accept(textTo('anna', 'fourth', { sendAt })),
    await replica.accept(textTo('anna', 'first')),
  ];
  clock = sendAt;
  replica.start();
  for (const { id } of all) expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second', 'third', 'fourth']);
});

test('one whose time is over by the clock of the database, but not by that of the process, overtakes nobody', async () => {
  const replica = harness.open({ now: () => clock - 10_000, databaseNow: now });
  const first = await replica.accept(textTo('anna', 'first'));
  const second = await replica.accept(textTo('anna', 'second', { sendAt: clock - 5000 }));
  replica.start();
  for (const { id } of [first, second]) expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second']);
});

test('many of one time all go out, each once and in order, whoever sends them', async () => {
  const [replica, other] = [harness.open({ now }), harness.open({ now })];
  const sendAt = clock + 5000;
  const receivers = Array.from(
    { length: 200 },
    (_, i): NewReceiver => ({ receiver: `user:u${i}`, variables: { NAME: `${i}` } }),
  );
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const content = { text: [i, ' dear $', '{NAME}'].join('') };
    const message = textTo([], '', { lane: 'bulk', content, receivers, variables: {}, sendAt });
    ids.push((await replica.accept(message)).id);
  }
  replica.start();
  other.start();
  await harness.send(replica, textTo('anna', 'before'));
  expect(harness.weCom.sent).toHaveLength(1);
  clock = sendAt;
  for (const id of ids) expect(await replica.finished(id, 30_000)).toBe(true);
  for (let i = 0; i < 200; i += 1) {
    expect(harness.weCom.textsTo(`user:u${i}`)).toEqual([0, 1, 2].map((n) => `${n} dear ${i}`));
  }
}, 60_000);

test('it can be taken back before its time, and is never sent', async () => {
  const replica = harness.start({ now });
  const { id } = await replica.accept(textTo(['anna', 'bert'], 'tomorrow', { sendAt: clock + DAY_MS }));
  expect(await replica.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(replica.finishedIds).toEqual([id]);
  clock += DAY_MS;
  await harness.send(replica, textTo('anna', 'after'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['after']);
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'recalled', line: null },
    { state: 'recalled', line: null },
  ]);
});

test('recalls at the moment of their time: each is taken back or sent, and none is left behind', async () => {
  const [replica] = [harness.start({ now }), harness.start({ now })];
  const sendAt = clock + 5000;
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => replica.accept(textTo([`a${i}`, `b${i}`], `${i}`, { sendAt }))),
  );
  clock = sendAt;
  await Promise.all(all.map(({ id }) => replica.recall('ci', id)));
  for (const { id } of all) expect(await replica.finished(id, 10_000)).toBe(true);
  const messages = await harness.db.selectFrom('messages').select(['open', 'receivers']).execute();
  expect(new Set(messages.map(({ open }) => open))).toEqual(new Set([0]));
  const rows = await harness.db.selectFrom('deliveries').select(['state', 'line']).execute();
  expect(rows).toHaveLength(60);
  expect(rows.every(({ line }) => line === null)).toBe(true);
  expect(rows.every(({ state }) => state === 'sent' || state === 'recalled')).toBe(true);
});

test('until its time it is no backlog', async () => {
  const replica = harness.open({ now });
  await replica.accept(textTo('anna', 'later', { lane: 'bulk', sendAt: clock + 60_000 }));
  const bulk = async () => (await replica.depth()).find(({ lane }) => lane === 'bulk');
  clock += 59_999;
  expect(await bulk()).toEqual({ lane: 'bulk', account: 'default', queued: 0, oldestMs: 0 });
  clock += 501;
  await eventually(bulk).toEqual({ lane: 'bulk', account: 'default', queued: 1, oldestMs: 500 });
});
