import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

const count = async (table: 'messages' | 'deliveries'): Promise<number> =>
  (await harness.db.selectFrom(table).select('id').execute()).length;

test('an idempotency key twice is one message, and the same answer', async () => {
  const replica = harness.start();
  const message = textTo('anna', 'once', { idempotencyKey: 'deploy-7' });
  const first = await replica.accept(message);
  const second = await replica.accept(message);
  expect([first.isNew, second.isNew]).toEqual([true, false]);
  expect(second.id).toBe(first.id);
  expect(await replica.finished(first.id, 5000)).toBe(true);
  expect(harness.weCom.sent).toHaveLength(1);
  expect(await count('deliveries')).toBe(1);
});

test('an idempotency key is a key of its app', async () => {
  const replica = harness.open();
  const message = textTo('anna', 'once', { idempotencyKey: 'deploy-7' });
  expect(await replica.accept(message)).toMatchObject({ isNew: true });
  expect(await replica.accept({ ...message, app: 'alerts' })).toMatchObject({ isNew: true });
});

test('concurrent duplicates, in one replica and in two, are one message', async () => {
  const [here, there] = [harness.start(), harness.start()];
  const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
  const accepted = await Promise.all(
    keys.flatMap((key) =>
      [here, there, here, there].map(async (replica) => ({
        key,
        ...(await replica.accept(textTo(key, key, { idempotencyKey: key }))),
      })),
    ),
  );
  for (const key of keys) {
    const mine = accepted.filter((one) => one.key === key);
    expect(new Set(mine.map(({ id }) => id)).size).toBe(1);
    expect(mine.filter(({ isNew }) => isNew)).toHaveLength(1);
  }
  await Promise.all(accepted.map(async ({ id }) => expect(await here.finished(id, 15_000)).toBe(true)));
  expect(harness.weCom.sent).toHaveLength(20);
});

test('another request under a used idempotency key is refused, and takes no other message with it', async () => {
  const replica = harness.open();
  const message = textTo('anna', 'one', { idempotencyKey: 'key' });
  await replica.accept(message);
  const other = replica.accept({ ...message, requestHash: 'b'.repeat(64) });
  const neighbour = replica.accept(textTo('bert', 'two'));
  await expect(other).rejects.toThrow(InputError);
  await expect(other).rejects.toThrow(/idempotencyKey/);
  expect(await neighbour).toMatchObject({ isNew: true });
  expect(await count('messages')).toBe(2);
});

test('a message that the database refuses takes no other of its moment with it', async () => {
  const replica = harness.open();
  const [bad, good] = await Promise.allSettled([
    replica.accept(textTo('anna', 'bad', { opaque: 'x'.repeat(5000) })),
    replica.accept(textTo('anna', 'good')),
  ]);
  expect(bad.status).toBe('rejected');
  expect(good.status).toBe('fulfilled');
  expect(await count('messages')).toBe(1);
  expect(await count('deliveries')).toBe(1);
});

test('messages of one moment share a transaction, and keep the order of the calls', async () => {
  const replica = harness.open();
  const commits = async (): Promise<number> => {
    const { rows } = await sql<{ Value: string }>`show global status like 'Com_commit'`.execute(harness.db);
    return Number(rows[0]?.Value);
  };
  const before = await commits();
  const accepted = await Promise.all(
    Array.from({ length: 150 }, (_, i) => replica.accept(textTo('anna', `${i}`))),
  );
  expect((await commits()) - before).toBeLessThan(50);
  const rows = await harness.db.selectFrom('deliveries').select('message_id').orderBy('id').execute();
  expect(rows.map((row) => row.message_id)).toEqual(accepted.map(({ id }) => id));
});

test('what is inserted in a transaction of the caller is sent after its commit, and nothing of it before', async () => {
  const replica = harness.start();
  const users = Array.from({ length: 1200 }, (_, i) => `u${i}`);
  const ids = await harness.db.transaction().execute(async (tx) => {
    const inserted = await replica.insert(tx, [textTo(users, 'campaign', { lane: 'bulk' })]);
    replica.wake();
    // It looks, and finds nothing that is committed: a message of another is sent meanwhile.
    await harness.send(replica, textTo('somebody', 'else'));
    expect(harness.weCom.sent.splice(0)).toHaveLength(1);
    expect(harness.weCom.sent).toHaveLength(0);
    return inserted;
  });
  replica.wake();
  expect(await replica.finished(ids[0] ?? '', 15_000)).toBe(true);
  expect(new Set(harness.weCom.sent.flatMap(({ to }) => to)).size).toBe(1200);
});

test('what was rolled back is not there', async () => {
  const replica = harness.start();
  const failed = harness.db.transaction().execute(async (tx) => {
    await replica.insert(tx, [textTo('anna', 'never')]);
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  expect(await count('deliveries')).toBe(0);
});
