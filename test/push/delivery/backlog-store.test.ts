import { type RawBuilder, sql } from 'kysely';
import { expect, test } from 'vitest';
import { withDatabaseTime } from '#test/database-time.ts';
import { countWaiting } from '../../../src/push/queue/backlog-store.ts';
import { textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const AT = Date.now();

const count = () => countWaiting(withDatabaseTime(harness.db, () => AT));

test('what waits is counted by lane and account, and what is due of it', async () => {
  const early = harness.open({ now: () => AT - 60_000 });
  await early.accept(textTo(['anna', 'bert'], 'hello', { lane: 'alert' }));
  await early.accept(textTo('anna', 'of the shop', { account: 'shop' }));
  const replica = harness.open({ now: () => AT - 5000 });
  await replica.accept(textTo('carl', 'hello', { lane: 'alert' }));
  await replica.accept(textTo('anna', 'later', { lane: 'bulk', sendAt: AT + 1 }));
  await replica.accept(textTo([], 'to a room', { receivers: [{ receiver: 'robot:ops' }], account: 'shop' }));
  expect(new Set(await count())).toEqual(
    new Set([
      { lane: 'alert', account: 'default', waiting: 3, queued: 3, oldestMs: 60_000 },
      { lane: 'normal', account: 'shop', waiting: 1, queued: 1, oldestMs: 60_000 },
      { lane: 'bulk', account: 'default', waiting: 1, queued: 0, oldestMs: 0 },
      { lane: 'normal', account: '', waiting: 1, queued: 1, oldestMs: 5000 },
    ]),
  );
});

test('a large backlog is counted in pieces, each delivery once, also where one line is longer than a piece', async () => {
  const digits = sql`(select 0 d union select 1 union select 2 union select 3 union select 4 union select 5
    union select 6 union select 7 union select 8 union select 9)`;
  const insert = (line: RawBuilder<string>, thousands: number) =>
    sql`insert into deliveries (message_id, receiver, line, since, due_at)
      select 'm', 'user:u', ${line}, ${AT} - a.d, 1
      from ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e
      where 10 * e.d + d.d < ${thousands}`.execute(harness.db);
  await insert(sql`'normal:user:anna'`, 21);
  await insert(sql`concat('normal:user:bert', b.d, c.d)`, 2);
  const found = await count();
  expect(found).toHaveLength(2);
  expect(found.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(23_000);
  expect(found.reduce((sum, { queued }) => sum + queued, 0)).toBe(23_000);
  expect(Math.max(...found.map(({ oldestMs }) => oldestMs))).toBe(9);
});
