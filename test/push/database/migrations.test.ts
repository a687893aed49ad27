import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { openPushDatabase } from '#test/push-database.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { migrate } from '../../../src/push/database/migrations.ts';

test('replicas that start at once bring an empty database up to date together', async () => {
  const { url, drop } = await createDatabase();
  const replicas = [openDatabase(url), openDatabase(url), openDatabase(url)];
  const [db] = replicas as [(typeof replicas)[0]];
  const tables = async () => (await db.introspection.getTables()).map(({ name }) => name);
  try {
    expect(await tables()).toEqual([]);
    await Promise.all(replicas.map((replica) => migrate(replica)));
    expect(await tables()).toEqual(expect.arrayContaining(['messages', 'deliveries', 'attempts']));
    // Whoever starts later finds nothing to do.
    await migrate(db);
  } finally {
    await Promise.all(replicas.map((replica) => replica.destroy()));
    await drop();
  }
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
