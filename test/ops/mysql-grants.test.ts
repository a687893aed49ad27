import mysql, { type Connection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { findQuery, killQuery, listQueries } from '../../operations/mysql/_running-query.ts';
import { type MysqlServer, openMysqlServer } from '../../src/ops/targets/mysql-server.ts';

// What a target looks like to accounts that may see more or less of it, on whatever server the tests run.

const account = `keypad_${process.pid}`;
let database: Awaited<ReturnType<typeof createDatabase>>;
let admin: Connection;
let target: MysqlServer;
beforeAll(async () => {
  database = await createDatabase();
  admin = await mysql.createConnection(database.serverUrl);
  for (const name of [account, `${account}_app`])
    await admin.query(`create user ${name}@'%' identified by 'x'`);
  await admin.query(`grant process on *.* to ${account}@'%'`);
  // MySQL and MariaDB name it each in its own way.
  await admin
    .query(`grant connection_admin on *.* to ${account}@'%'`)
    .catch(() => admin.query(`grant connection admin on *.* to ${account}@'%'`));
  target = openMysqlServer({ name: 'shop-db', url: urlOf(account), onFailure: () => {} });
});
afterAll(async () => {
  await target.close();
  await admin.query(`drop user ${account}@'%', ${account}_app@'%'`);
  await admin.end();
  await database.drop();
});

function urlOf(name: string): string {
  const url = new URL(database.serverUrl);
  [url.username, url.password] = [name, 'x'];
  return url.href;
}

/** Runs a long statement on a connection whose session believes that it is another time. */
async function runAt(victim: Connection, second: number): Promise<Promise<unknown>> {
  await victim.query(`set timestamp = ${second}`);
  return victim.query("select sleep(60), 'grants 😀'").catch(() => undefined);
}

/** The long statement once it runs: before it, the connection sets its time, which is a statement too. */
async function running(victim: Connection) {
  const isIt = ({ id, sql }: { id: string; sql: string }) =>
    id === String(victim.threadId) && sql.includes('sleep');
  const find = async () => (await listQueries(target)).find(isIt);
  await expect.poll(find).toBeDefined();
  return find();
}

test('an account that may only see the list and end statements sees whole texts, and ends the run that it saw', async () => {
  const victim = await mysql.createConnection(urlOf(`${account}_app`));
  const first = runAt(victim, 1_000_000_000);
  const seen = await running(victim);
  expect(seen).toMatchObject({ sql: "select sleep(60), 'grants 😀'", user: `${account}_app` });
  expect(seen?.seconds).toBeGreaterThanOrEqual(0);
  await admin.query(`kill query ${victim.threadId}`);
  await first;
  const second = runAt(victim, 1_000_001_000);
  const again = await running(victim);
  const [id, old, fresh] = [String(victim.threadId), seen?.fingerprint ?? '', again?.fingerprint ?? ''];
  expect(fresh).not.toBe(old);
  expect(await killQuery(target, { id, query: old }, () => {})).toBe(false);
  expect(await findQuery(target, id, fresh)).toBeDefined();
  expect(await killQuery(target, { id, query: fresh }, () => {})).toBe(true);
  await second;
  victim.destroy();
});

test('a session whose time is set to a day that has not come costs nobody the list', async () => {
  const victim = await mysql.createConnection(urlOf(`${account}_app`));
  const slow = runAt(victim, 2_100_000_000);
  expect((await running(victim))?.seconds).toBeGreaterThanOrEqual(0);
  await admin.query(`kill query ${victim.threadId}`);
  await slow;
  victim.destroy();
});
