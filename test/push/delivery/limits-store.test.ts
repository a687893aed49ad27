import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { addToDays } from '../../../src/push/queue/limits-store.ts';
import { waitingForLocks } from './delivery-harness.ts';

let { db, drop } = {} as Awaited<ReturnType<typeof openPushDatabase>>;
beforeAll(async () => {
  ({ db, drop } = await openPushDatabase());
});
afterAll(() => drop());

test('days are counted in one order: who has a later and an earlier one waits for whoever has the earlier', async () => {
  const first = { account: 'default', day: 1, count: 1 };
  const second = { account: 'default', day: 2, count: 1 };
  await db.transaction().execute((tx) => addToDays(tx, [first, second]));
  const { waits } = await db.transaction().execute(async (tx) => {
    await addToDays(tx, [first]);
    const other = db.transaction().execute((two) => addToDays(two, [second, first]));
    await waitingForLocks(db).toBe(1);
    // The other would have it, and one of the two would lose a deadlock.
    await addToDays(tx, [second]);
    return { waits: other };
  });
  await waits;
  const used = await db.selectFrom('sent_days').select(['day', 'used']).orderBy('day').execute();
  expect(used).toEqual([
    { day: 1, used: 3 },
    { day: 2, used: 3 },
  ]);
});
