import { sql } from 'kysely';
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

test('a database that has the tables of the queue view loses them, and nothing else', async () => {
  const { db, drop } = await openPushDatabase();
  await sql`delete from push_migration where name >= '2026-11-8'`.execute(db);
  for (const name of ['console_links', 'console_sessions']) {
    await sql`create table ${sql.table(name)} (id int primary key)`.execute(db);
  }
  await migrate(db);
  const tables = (await db.introspection.getTables()).map(({ name }) => name);
  expect(tables.filter((name) => name.startsWith('console'))).toEqual([]);
  expect(tables).toEqual(expect.arrayContaining(['messages', 'deliveries', 'attempts']));
  await drop();
});
