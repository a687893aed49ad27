import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { textTo, useStage } from './office.ts';

const stage = useStage();

const count = async (table: 'messages' | 'deliveries'): Promise<number> =>
  (await stage.db.selectFrom(table).select('id').execute()).length;

test('an idempotency key twice is one message, and the same answer', async () => {
  const office = stage.start();
  const message = textTo('anna', 'once', { idempotencyKey: 'deploy-7' });
  const first = await office.accept(message);
  const second = await office.accept(message);
  expect([first.isNew, second.isNew]).toEqual([true, false]);
  expect(second.id).toBe(first.id);
  expect(await office.finished(first.id, 5000)).toBe(true);
  expect(stage.weCom.sent).toHaveLength(1);
  expect(await count('deliveries')).toBe(1);
});

test('an idempotency key is a key of its app', async () => {
  const office = stage.open();
  const message = textTo('anna', 'once', { idempotencyKey: 'deploy-7' });
  expect(await office.accept(message)).toMatchObject({ isNew: true });
  expect(await office.accept({ ...message, app: 'alerts' })).toMatchObject({ isNew: true });
});

test('concurrent duplicates, in one replica and in two, are one message', async () => {
  const [here, there] = [stage.start(), stage.start()];
  const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
  const accepted = await Promise.all(
    keys.flatMap((key) =>
      [here, there, here, there].map(async (office) => ({
        key,
        ...(await office.accept(textTo(key, key, { idempotencyKey: key }))),
      })),
    ),
  );
  for (const key of keys) {
    const mine = accepted.filter((one) => one.key === key);
    expect(new Set(mine.map(({ id }) => id)).size).toBe(1);
    expect(mine.filter(({ isNew }) => isNew)).toHaveLength(1);
  }
  await Promise.all(accepted.map(async ({ id }) => expect(await here.finished(id, 15_000)).toBe(true)));
  expect(stage.weCom.sent).toHaveLength(20);
});

test('another request under a used idempotency key is refused, and takes no other message with it', async () => {
  const office = stage.open();
  const message = textTo('anna', 'one', { idempotencyKey: 'key' });
  await office.accept(message);
  const other = office.accept({ ...message, requestHash: 'b'.repeat(64) });
  const neighbour = office.accept(textTo('bert', 'two'));
  await expect(other).rejects.toThrow(InputError);
  await expect(other).rejects.toThrow(/idempotencyKey/);
  expect(await neighbour).toMatchObject({ isNew: true });
  expect(await count('messages')).toBe(2);
});

test('a message that the database refuses takes no other of its moment with it', async () => {
  const office = stage.open();
  const [bad, good] = await Promise.allSettled([
    office.accept(textTo('anna', 'bad', { opaque: 'x'.repeat(5000) })),
    office.accept(textTo('anna', 'good')),
  ]);
  expect(bad.status).toBe('rejected');
  expect(good.status).toBe('fulfilled');
  expect(await count('messages')).toBe(1);
  expect(await count('deliveries')).toBe(1);
});

test('messages of one moment share a transaction, and keep the order of the calls', async () => {
  const office = stage.open();
  const commits = async (): Promise<number> => {
    const { rows } = await sql<{ Value: string }>`show global status like 'Com_commit'`.execute(stage.db);
    return Number(rows[0]?.Value);
  };
  const before = await commits();
  const accepted = await Promise.all(
    Array.from({ length: 150 }, (_, i) => office.accept(textTo('anna', `${i}`))),
  );
  expect((await commits()) - before).toBeLessThan(50);
  const rows = await stage.db.selectFrom('deliveries').select('message_id').orderBy('id').execute();
  expect(rows.map((row) => row.message_id)).toEqual(accepted.map(({ id }) => id));
});

test('what is inserted in a transaction of the caller is sent after its commit, and nothing of it before', async () => {
  const office = stage.start();
  const users = Array.from({ length: 1200 }, (_, i) => `u${i}`);
  const ids = await stage.db.transaction().execute(async (tx) => {
    const inserted = await office.insert(tx, [textTo(users, 'campaign', { lane: 'bulk' })]);
    await office.schedule(inserted);
    await office.sweepAll();
    expect(stage.weCom.sent).toHaveLength(0);
    return inserted;
  });
  await office.schedule(ids);
  expect(await office.finished(ids[0] ?? '', 15_000)).toBe(true);
  expect(new Set(stage.weCom.sent.flatMap(({ to }) => to)).size).toBe(1200);
});

test('what was rolled back is not there', async () => {
  const office = stage.start();
  const failed = stage.db.transaction().execute(async (tx) => {
    await office.insert(tx, [textTo('anna', 'never')]);
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  expect(await count('deliveries')).toBe(0);
});
