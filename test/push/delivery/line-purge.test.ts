import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { NEVER } from '../../../src/push/database/delivery-tables.ts';
import { purgeLines, removeIdle } from '../../../src/push/queue/line-purge-store.ts';
import { textTo, useDeliveryHarness, waitingForLocks } from './delivery-harness.ts';

const harness = useDeliveryHarness();

const lines = async () =>
  (await harness.db.selectFrom('delivery_lines').select('line').orderBy('line').execute()).map(
    ({ line }) => line,
  );

const purge = (sleep: () => Promise<unknown> = async () => null, isStopped = () => false) =>
  purgeLines({ db: harness.db, sleep, isStopped });

/** A line in which nothing waits. */
async function idle(line: string, more: { readonly due_at?: number; readonly owner?: string } = {}) {
  const row = {
    line,
    account: 'default',
    lane: 'normal',
    due_at: NEVER,
    owner: null,
    delivery_id: null,
  } as const;
  await harness.db
    .insertInto('delivery_lines')
    .values({ ...row, ...more })
    .execute();
}

async function attempt(target: string): Promise<void> {
  const call = { delivery_id: 1, at: 1, ms: 1, errcode: '0', errmsg: '', msgid: null };
  await harness.db
    .insertInto('attempts')
    .values({ ...call, target })
    .execute();
}

test('lines go of receivers who were sent nothing as long as messages are kept; what is in use stays', async () => {
  await idle('normal:user:anna');
  await idle('bulk:shop/user:anna');
  await idle('normal:robot:ops');
  await idle('alert:user:bert');
  await idle('normal:shop/user:bert');
  await attempt('user:bert');
  await attempt('shop/user:bert');
  await idle('normal:user:due', { due_at: 5 });
  await idle('normal:user:owned', { owner: 'somebody' });
  await purge();
  expect(await lines()).toEqual([
    'alert:user:bert',
    'normal:shop/user:bert',
    'normal:user:due',
    'normal:user:owned',
  ]);
});

test('a receiver who was sent something keeps the line until that is purged, and then gets a new one', async () => {
  const replica = harness.start();
  await harness.send(replica, textTo('anna', 'one'));
  await purge();
  expect(await lines()).toEqual(['normal:user:anna']);
  await harness.db.deleteFrom('attempts').execute();
  await purge();
  expect(await lines()).toEqual([]);
  await harness.send(replica, textTo('anna', 'two'));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['one', 'two']);
});

test('many go in pieces, with a pause after each, and none is begun once it is stopped', async () => {
  const digits = sql`(select 0 d union select 1 union select 2 union select 3 union select 4 union select 5
    union select 6 union select 7 union select 8 union select 9)`;
  await sql`insert into delivery_lines (line, account, lane, due_at)
    select concat('normal:user:u', a.d, b.d, c.d), 'default', 'normal', ${NEVER}
    from ${digits} a, ${digits} b, ${digits} c`.execute(harness.db);
  await attempt('user:u000');
  let isStopped = false;
  const stop = async () => {
    isStopped = true;
  };
  await purge(stop, () => isStopped);
  expect(await lines()).toHaveLength(501);
  const left: number[] = [];
  await purge(async () => left.push((await lines()).length));
  expect(left).toEqual([2]);
  expect(await lines()).toEqual(['normal:user:u000']);
});

test('a line that somebody is joining at this moment is not waited for, and stays', async () => {
  await idle('normal:user:anna');
  const replica = harness.open();
  const [id = ''] = await harness.db.transaction().execute(async (tx) => {
    const ids = await replica.insert(tx, [textTo('anna', 'hello')]);
    await purge();
    return ids;
  });
  expect(await lines()).toEqual(['normal:user:anna']);
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
});

test('who joins a line that is being removed waits, and makes it anew: it is due, and nothing is forgotten', async () => {
  await idle('normal:user:anna');
  const replica = harness.open();
  const { accepting } = await harness.db.transaction().execute(async (tx) => {
    await removeIdle(tx, ['normal:user:anna']);
    const accepting = replica.accept(textTo('anna', 'hello'));
    await waitingForLocks(harness.db).toBe(1);
    return { accepting };
  });
  const { id } = await accepting;
  expect(await lines()).toEqual(['normal:user:anna']);
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
});

test('a line that is not idle any more when it is locked is left alone', async () => {
  const remove = (line: string) => harness.db.transaction().execute((tx) => removeIdle(tx, [line]));
  await idle('normal:user:due', { due_at: 5 });
  await idle('normal:user:owned', { owner: 'somebody' });
  const { id } = await harness.open().accept(textTo('anna', 'hello'));
  await harness.db
    .updateTable('delivery_lines')
    .set({ due_at: NEVER })
    .where('line', '=', 'normal:user:anna')
    .execute();
  const all = await lines();
  for (const line of all) await remove(line);
  expect(await lines()).toEqual(all);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'queued' }]);
});
