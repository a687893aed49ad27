import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { readClock } from '../../../src/push/database/clock.ts';
import { claim } from '../../../src/push/queue/claim.ts';
import { readUsage } from '../../../src/push/queue/limits-store.ts';
import { setDue } from '../../../src/push/queue/line-store.ts';
import {
  eventually,
  sendingAccount,
  textTo,
  useDeliveryHarness,
  waitingForLocks,
} from './delivery-harness.ts';

// Messages to many, several at once: nothing that is done in one piece grows with them.

const harness = useDeliveryHarness();
const usersOf = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);

test('a claim takes in a bounded number of deliveries, and those of the next message whole in the next claim', async () => {
  const replica = harness.open();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) {
    // The lines of all messages stand among each other.
    const users = Array.from({ length: 900 }, (_, i) => `${1000 + i}${name}`);
    await replica.accept(textTo(users, 'hello'));
  }
  await harness.db.updateTable('delivery_lines').set({ due_at: 1 }).execute();
  const account = sendingAccount({ messenger: harness.weCom.messenger });
  const parts = {
    accounts: { find: () => account },
    windowsOf: () => null,
    onLimit: () => {},
    onError: () => {},
  };
  const rooms = [{ account: 'default', lane: 'normal' as const, count: 50 }];
  const sizes: number[][] = [];
  for (let claims = 0; claims < 3; claims += 1) {
    const groups = await harness.db.transaction().execute(async (tx) => {
      const now = await readClock(tx);
      const found = await claim(parts, tx, rooms, {
        owner: `o${claims}`,
        since: now,
        now,
        onLocked: () => {},
      });
      return found.groups;
    });
    sizes.push(groups.map(({ members }) => members.length));
  }
  expect(sizes).toEqual([[900, 900], [900, 900], [900]]);
});

test('more messages to many than a claim takes in are sent to everybody once', async () => {
  const replica = harness.start({ concurrency: 10 });
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      replica.accept(textTo(usersOf(`m${i}-`, 500), 'hello', { lane: i % 2 === 0 ? 'normal' : 'bulk' })),
    ),
  );
  for (const { id } of all) expect(await replica.finished(id, 15_000)).toBe(true);
  expect(replica.errors).toEqual([]);
  expect(harness.weCom.sent.map(({ to }) => to.length)).toEqual(Array.from({ length: 8 }, () => 500));
});

test('lines that are put off each until a time of its own, and limits of many, take a few statements', async () => {
  const count = await harness.db.transaction().execute(async (tx) => {
    const statements = async () => {
      const { rows } = await sql<{ Value: string }>`show session status like 'Questions'`.execute(tx);
      return Number(rows[0]?.Value);
    };
    const before = await statements();
    await setDue(tx, new Map(usersOf('u', 1000).map((user, i) => [`normal:user:${user}`, i])));
    const windows = [{ most: 30, ms: 60_500 }] as const;
    await readUsage(
      tx,
      usersOf('u', 1000).map((user) => ({ target: `user:${user}`, windows })),
    );
    return (await statements()) - before;
  });
  expect(count).toBeLessThan(10);
});

test('an alert is accepted while a line of another lane is locked, as by a replica that stands still', async () => {
  const replica = harness.start();
  await harness.send(replica, textTo('anna', 'before'));
  let held: Promise<unknown> = Promise.resolve();
  await harness.db.transaction().execute(async (tx) => {
    await sql`select line from delivery_lines where line = 'normal:user:anna' for update`.execute(tx);
    held = replica.accept(textTo('anna', 'waits'));
    await waitingForLocks(harness.db).toBe(1);
    const { id } = await replica.accept(textTo('boss', 'alarm', { lane: 'alert' }));
    expect(await replica.finished(id, 3000)).toBe(true);
  });
  await held;
});

test('the next alert to somebody does not wait for what another lane records', async () => {
  const replica = harness.start();
  const frees: (() => void)[] = [];
  harness.weCom.script = ({ message }) =>
    message.body.content === 'second alarm'
      ? undefined
      : new Promise((free) => frees.push(() => free(undefined)));
  await replica.accept(textTo('anna', 'normal'));
  await replica.accept(textTo('boss', 'alarm', { lane: 'alert' }));
  await eventually(() => frees.length).toBe(2);
  await replica.accept(textTo('boss', 'second alarm', { lane: 'alert' }));
  await harness.db.transaction().execute(async (tx) => {
    await sql`select line from delivery_lines where line = 'normal:user:anna' for update`.execute(tx);
    // Both are answered at the same moment.
    for (const free of frees) free();
    await eventually(() => harness.weCom.textsTo('user:boss')).toEqual(['alarm', 'second alarm']);
  });
});

test('while results wait for the database calls go on, until twice as many as may be under way are not recorded', async () => {
  const replica = harness.open({ concurrency: 2 });
  const { id } = await replica.accept(textTo(usersOf('u', 8), 'dear $' + '{USERID}', { variables: {} }));
  const normal = () => harness.weCom.sent.filter(({ to }) => to[0] !== 'user:boss').length;
  await harness.db.transaction().execute(async (tx) => {
    // Only recording writes there.
    await sql`select id from messages where id = ${id} for update`.execute(tx);
    replica.start();
    await eventually(normal).toBe(4);
    await replica.accept(textTo('boss', 'alarm', { lane: 'alert' }));
    await eventually(() => harness.weCom.textsTo('user:boss')).toEqual(['alarm']);
    expect(normal()).toBe(4);
  });
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(normal()).toBe(8);
});

test('many messages with long variables, accepted at the same moment, fit into packets', async () => {
  const replica = harness.open();
  const variables = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`V${i}`, 'x'.repeat(19_000)]));
  const words = 'dear $' + '{V0}';
  const all = [
    ...usersOf('u', 75).map((user) => replica.accept(textTo(user, words, { variables }))),
    replica.accept(textTo('other', 'a small one of another app', { app: 'other' })),
  ];
  expect(await Promise.all(all)).toHaveLength(76);
});

test('messages to one receiver arrive in the order in which they were answered, whatever the replica', async () => {
  const [one, other] = [harness.open(), harness.open()];
  const first = harness.start();
  await harness.send(first, textTo(['aaron', 'anna'], 'before'));
  await first.close();
  let held: Promise<unknown> = Promise.resolve();
  await harness.db.transaction().execute(async (tx) => {
    await sql`select line from delivery_lines where line = 'normal:user:aaron' for update`.execute(tx);
    held = one.accept(textTo(['aaron', 'anna'], 'answered second'));
    await waitingForLocks(harness.db).toBe(1);
    await other.accept(textTo('anna', 'answered first'));
  });
  await held;
  other.start();
  await eventually(() => harness.weCom.textsTo('user:anna')).toEqual([
    'before',
    'answered first',
    'answered second',
  ]);
});

test('lines take turns: whoever has much waiting keeps nobody from the next call', async () => {
  const replica = harness.open({ concurrency: 1 });
  const users = ['anna', 'anna', 'anna', 'bert', 'carl', 'dora'];
  const all = [];
  for (const user of users) all.push(await replica.accept(textTo(user, 'hello')));
  replica.start();
  for (const { id } of all) expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.sent.map(({ to }) => to[0])).toEqual(
    ['anna', 'bert', 'carl', 'dora', 'anna', 'anna'].map((user) => `user:${user}`),
  );
});
