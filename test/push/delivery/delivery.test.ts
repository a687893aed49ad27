import { expect, test } from 'vitest';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

test('a message is in the database before the answer, is sent, and its app is told', async () => {
  const replica = harness.open();
  const { id, isNew } = await replica.accept(textTo('anna', 'hello', { opaque: 'ticket 7' }));
  expect(isNew).toBe(true);
  const row = () => harness.db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();
  expect(await row()).toMatchObject({ app: 'ci', open: 1, opaque: 'ticket 7', finished_at: null });

  replica.start();
  expect(await replica.finished(id, 5000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['hello']);
  expect(replica.finishedIds).toEqual([id]);
  expect(await row()).toMatchObject({ open: 0, finished_at: expect.any(Number) });
  expect(await harness.deliveries(id)).toMatchObject([
    {
      state: 'sent',
      line: null,
      parts: 1,
      msgids: '["m1"]',
      errcode: null,
      maybe_twice: 0,
      tries: 1,
    },
  ]);
  expect(await harness.attempts(id)).toMatchObject([{ errcode: '0', msgid: 'm1' }]);
  expect(replica.errors).toEqual([]);
});

test('20 interleaved callers: each receiver gets its messages in the order in which they were accepted', async () => {
  const replica = harness.start();
  const other = harness.start();
  const users = ['anna', 'bert', 'carl', 'dora', 'emil'];
  const said = new Map<string, string[]>();
  const inFlight = new Map<string, number>();
  let most = 0;
  harness.weCom.script = async ({ to: [user = ''] }) => {
    const turns = harness.weCom.sent.length % 10;
    inFlight.set(user, (inFlight.get(user) ?? 0) + 1);
    most = Math.max(most, inFlight.get(user) ?? 0);
    // Calls take differently long, the same in each run.
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    inFlight.set(user, (inFlight.get(user) ?? 0) - 1);
    return undefined;
  };
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async (_, caller) => {
      for (let i = 0; i < 10; i += 1) {
        const user = users[(caller + i) % users.length] ?? '';
        const { id } = await (caller % 2 ? replica : other).accept(textTo(user, `${caller}-${i}`));
        ids.push(id);
        said.set(user, [...(said.get(user) ?? []), `${caller}-${i}`]);
      }
    }),
  );
  await Promise.all(ids.map(async (id) => expect(await replica.finished(id, 20_000)).toBe(true)));
  expect(most).toBe(1);
  for (const user of users) {
    const got = harness.weCom.textsTo(`user:${user}`).map(String);
    expect(got.toSorted()).toEqual(said.get(user)?.toSorted());
    // Of one caller, whose calls followed each other, the order is known.
    for (let caller = 0; caller < 20; caller += 1) {
      const mine = got.filter((text) => text.startsWith(`${caller}-`));
      expect(mine).toEqual(mine.toSorted());
    }
  }
  expect(await harness.db.selectFrom('deliveries').select('id').execute()).toHaveLength(200);
});

test('messages of one receiver arrive in the order of their rows, lanes in parallel', async () => {
  const replica = harness.start();
  const texts = Array.from({ length: 30 }, (_, i) => `${i}`);
  const all = await Promise.all(texts.map((text) => replica.accept(textTo('anna', text))));
  await Promise.all(all.map(({ id }) => replica.finished(id, 15_000)));
  expect(harness.weCom.textsTo('user:anna')).toEqual(texts);
});

test('a receiver who is slow, or fails, holds up nobody else, and no other lane', async () => {
  const replica = harness.start({ concurrency: 3 });
  let free = (): void => {};
  const slow = new Promise<undefined>((resolve) => {
    free = () => resolve(undefined);
  });
  harness.weCom.script = ({ to, message }) =>
    to.includes('user:slow') && message.body.content === 'wait' ? slow : undefined;
  const first = await replica.accept(textTo('slow', 'wait'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  const behind = await replica.accept(textTo('slow', 'behind'));
  await harness.send(replica, textTo('anna', 'quick'));
  await harness.send(replica, textTo('slow', 'alarm', { lane: 'alert' }));
  expect(harness.weCom.textsTo('user:slow')).toEqual(['wait', 'alarm']);
  free();
  expect(await replica.finished(behind.id, 5000)).toBe(true);
  expect(await replica.finished(first.id, 1000)).toBe(true);
});

test('no more calls of a lane are under way at the same time than there may be', async () => {
  const replica = harness.start({ concurrency: 3 });
  let running = 0;
  let most = 0;
  harness.weCom.script = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return undefined;
  };
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, i) => replica.accept(textTo(`u${i}`, 'hello'))),
  );
  await Promise.all(all.map(async ({ id }) => expect(await replica.finished(id, 10_000)).toBe(true)));
  expect(most).toBe(3);
});

test('who waits hears it from another replica, and after its time hears that it is not finished', async () => {
  const other = harness.start();
  const replica = harness.open();
  let free = (): void => {};
  harness.weCom.script = () =>
    new Promise((resolve) => {
      free = () => resolve(undefined);
    });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => harness.weCom.sent.length).toBe(1);
  expect(await other.finished(id, 10)).toBe(false);
  const waiting = other.finished(id, 10_000);
  free();
  expect(await waiting).toBe(true);
});

test('content of no template is never filled, and a template is filled once, a value on one line', async () => {
  const replica = harness.start();
  const v = (name: string): string => ['$', '{', name, '}'].join('');
  await harness.send(replica, textTo('anna', `literal ${v('USERID')}`));
  const values = { NAME: `a "b" \\ \n $1 ${v('OTHER')}`, OTHER: 'no' };
  await harness.send(replica, textTo('anna', `to ${v('NAME')} of ${v('USERID')}`, { variables: values }));
  const got = harness.weCom.textsTo('user:anna');
  expect(got).toEqual([`literal ${v('USERID')}`, `to a "b" \\   $1 ${v('OTHER')} of anna`]);
});

test('the depth of a lane counts what has come and not ended, and the age of the oldest', async () => {
  const replica = harness.open();
  await replica.accept(textTo('anna', 'one', { lane: 'bulk' }));
  await replica.accept(textTo('anna', 'two', { lane: 'bulk', sendAt: Date.now() + 60_000 }));
  const depth = await replica.depth();
  expect(depth).toEqual([
    { lane: 'alert', account: '', queued: 0, oldestMs: 0 },
    { lane: 'normal', account: '', queued: 0, oldestMs: 0 },
    { lane: 'bulk', account: 'default', queued: 1, oldestMs: expect.any(Number) },
    { lane: 'bulk', account: '', queued: 0, oldestMs: 0 },
  ]);
});
