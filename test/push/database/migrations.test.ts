import { expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { migrate } from '../../../src/push/database/migrations.ts';

test('replicas that start at once bring the database up to date together', async () => {
  const { db, drop } = await openPushDatabase();
  await Promise.all([migrate(db), migrate(db)]);
  const tables = (await db.introspection.getTables()).map(({ name }) => name);
  expect(tables).toEqual(expect.arrayContaining(['messages', 'deliveries', 'attempts']));
  await drop();
});
