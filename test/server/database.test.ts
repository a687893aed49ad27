import { type Kysely, sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { openKysely, transact } from '../../src/server/database.ts';
import { isDatabaseAway, isDeadlock } from '../../src/server/mysql-errors.ts';

async function open(onRetry?: () => void): Promise<Kysely<object>> {
  const database = await createDatabase();
  const db = openKysely<object>(database.url, { onRetry });
  onTestFinished(async () => {
    await db.destroy();
    await database.drop();
  });
  return db;
}

test('of two transactions that wait for each other one is run again, and counted', async () => {
  let retries = 0;
  const db = await open(() => {
    retries += 1;
  });
  await sql`create table pairs (id int primary key, n int not null)`.execute(db);
  await sql`insert into pairs values (1, 0), (2, 0)`.execute(db);
  let arrived = 0;
  let meet = () => {};
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const addInOrder = (ids: readonly [number, number]) =>
    transact(db, async (tx) => {
      await sql`update pairs set n = n + 1 where id = ${ids[0]}`.execute(tx);
      arrived += 1;
      if (arrived === 2) meet();
      await met;
      await sql`update pairs set n = n + 1 where id = ${ids[1]}`.execute(tx);
    });
  await Promise.all([addInOrder([1, 2]), addInOrder([2, 1])]);
  expect(retries).toBe(1);
  expect((await sql`select n from pairs`.execute(db)).rows).toEqual([{ n: 2 }, { n: 2 }]);
});

test('a transaction that always loses is given up after six tries, any other failure at once', async () => {
  let retries = 0;
  const db = await open(() => {
    retries += 1;
  });
  for (const [code, count] of [
    ['ER_LOCK_DEADLOCK', 5],
    ['ER_DISK_FULL', 0],
  ] as const) {
    retries = 0;
    const failing = transact(db, async () => {
      throw Object.assign(new Error(code), { code });
    });
    await expect(failing).rejects.toMatchObject({ code });
    expect(retries).toBe(count);
  }
});

test.each([
  ['ECONNREFUSED', true],
  ['PROTOCOL_CONNECTION_LOST', true],
  ['PROTOCOL_SEQUENCE_TIMEOUT', true],
  ['ER_LOCK_WAIT_TIMEOUT', true],
  ['ER_LOCK_DEADLOCK', true],
  ['ER_OPTION_PREVENTS_STATEMENT', true],
  ['ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', true],
  ['ER_READ_ONLY_MODE', true],
  ['ER_SERVER_OFFLINE_MODE', true],
  ['ER_DISK_FULL', true],
  ['ER_RECORD_FILE_FULL', true],
  ['ER_CON_COUNT_ERROR', true],
  ['ER_TOO_MANY_USER_CONNECTIONS', true],
  ['ER_SERVER_SHUTDOWN', true],
  ['ER_PARSE_ERROR', false],
  ['ER_DUP_ENTRY', false],
  ['ER_NO_SUCH_TABLE', false],
])('%s means that the database is away: %s', (code, away) => {
  expect(isDatabaseAway(Object.assign(new Error(code), { code }))).toBe(away);
});

test('an error that mysql2 has no name for is known by its number', () => {
  expect(isDatabaseAway(Object.assign(new Error('Connection was killed'), { errno: 1927 }))).toBe(true);
  expect(isDatabaseAway(new Error('a bug'))).toBe(false);
  expect(isDeadlock(Object.assign(new Error('Record has changed'), { code: 'ER_CHECKREAD' }))).toBe(true);
});
