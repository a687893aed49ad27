import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Tx } from '../../../src/push/database/database.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { transact } from '../../../src/server/database.ts';
import { textTo, useDeliveryHarness } from '../delivery/delivery-harness.ts';

const harness = useDeliveryHarness();

test('a transaction sees what others have committed meanwhile, and asks the server for nothing else', async () => {
  const replica = harness.open();
  const db = openDatabase(harness.mysqlUrl);
  const count = async (tx: Tx) => (await tx.selectFrom('messages').select('id').execute()).length;
  const settings = async (tx: Tx) => {
    const { rows } = await sql<{ Value: string }>`show session status like 'Com_set_option'`.execute(tx);
    return Number(rows[0]?.Value);
  };
  try {
    const before = await transact(db, settings);
    const seen = await transact(db, async (tx) => {
      const first = await count(tx);
      await replica.accept(textTo('anna', 'hello'));
      return [first, await count(tx)];
    });
    expect(seen).toEqual([0, 1]);
    expect(await transact(db, settings)).toBe(before);
  } finally {
    await db.destroy();
  }
});
