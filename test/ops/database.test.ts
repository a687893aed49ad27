import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMariadbServer } from '../../demo/servers/mariadb-server.ts';
import { createSecret } from '../../src/config.ts';
import { principalText, WECOM_CALLBACK } from '../../src/contract/principal.ts';
import { openDatabase } from '../../src/ops/database.ts';
import { migrate } from '../../src/ops/migrations.ts';
import { openMysqlServer } from '../../src/ops/targets/mysql-server.ts';
import { createDatabase } from '../helpers/database.ts';
import { putFreshMariadb } from '../helpers/fresh-mariadb.ts';
import { pause } from '../helpers/pause.ts';
import { choosePort } from '../helpers/ports.ts';
import { startPrivateDatabase } from '../helpers/private-database.ts';
import { openOpsHarness, recordsOf, signedRequest } from './ops-harness.ts';

test('four replicas prepare one database at once', async () => {
  const database = await createDatabase();
  const replicas = Array.from({ length: 4 }, () => openDatabase(database.url));
  await Promise.all(replicas.map((db) => migrate(recordsOf(db))));
  const [first] = replicas;
  const heads = await first?.selectFrom('audit_head').selectAll().execute();
  expect(heads).toEqual([{ id: 1, seq: 0, mac: '0'.repeat(64) }]);
  await Promise.all(replicas.map((db) => migrate(recordsOf(db))));
  await Promise.all(replicas.map((db) => db.destroy()));
  await database.drop();
});

test('a database that was half prepared by a replica that died is prepared by the next', async () => {
  const database = await createDatabase();
  const db = openDatabase(database.url);
  await migrate(recordsOf(db));
  const server = openMysqlServer({ name: 'shop-db', url: database.url, onFailure: () => {} });
  await server.rows('drop table kysely_migration');
  await server.rows('drop table seen_tokens');
  await migrate(recordsOf(db));
  expect(await db.selectFrom('seen_tokens').selectAll().execute()).toEqual([]);
  await Promise.all([db.destroy(), server.close()]);
  await database.drop();
});

test('a table that an earlier version made takes the longest user of any account', async () => {
  const database = await createDatabase();
  const db = openDatabase(database.url);
  await migrate(recordsOf(db));
  const server = openMysqlServer({ name: 'shop-db', url: database.url, onFailure: () => {} });
  await server.rows("delete from kysely_migration where name > '2026-11-first'");
  for (const table of ['operations', 'audit']) {
    await server.rows(`alter table ${table} modify user varchar(64) not null`);
  }
  await migrate(recordsOf(db));
  const columns = await server.rows(
    `select table_name as name, character_maximum_length as length from information_schema.columns
     where table_schema = database() and column_name = 'user' and table_name in ('operations', 'audit')
     order by table_name`,
  );
  const longest = principalText({
    channel: WECOM_CALLBACK,
    account: 'a'.repeat(32),
    user: 'u'.repeat(64),
  }).length;
  expect(longest).toBeLessThanOrEqual(200);
  expect(columns.map(({ name, length }) => [name, Number(length)])).toEqual([
    ['audit', 200],
    ['operations', 200],
  ]);
  await Promise.all([db.destroy(), server.close()]);
  await database.drop();
});

test('values stay values whatever mode the server is set to', async () => {
  const database = await createDatabase();
  const server = openMysqlServer({ name: 'shop-db', url: database.url, onFailure: () => {} });
  const text = "\\' or 1=1 -- 😀";
  const rows = await server.rows('select @@session.sql_mode as mode, ? as text', [text]);
  expect(rows).toEqual([{ mode: 'STRICT_TRANS_TABLES', text }]);
  await server.close();
  await database.drop();
});

test('without its database the platform says so, in time, and goes on when it is back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-away-'));
  putFreshMariadb(directory);
  const server = await startMariadbServer({ directory, port: await choosePort() });
  const harness = await openOpsHarness();
  const setup = openMysqlServer({ name: 'shop-db', url: server.url, onFailure: () => {} });
  await setup.rows('create database keypad');
  const ops = await harness.startReplica({ mysqlUrl: createSecret(`${server.url}/keypad`) });
  await ops.as('zhangsan').read('me', {});

  const resume = pause(server.process);
  expect(await ops.as('zhangsan').post('me', {})).toEqual({
    state: 'error',
    message: '平台的数据库暂时连不上。没有执行任何操作，请稍后再试',
  });
  await resume();
  expect(await ops.as('zhangsan').post('me', {})).toMatchObject({ state: 'done' });
  await setup.close();
  await server.stop();
  expect(await ops.as('zhangsan').post('me', {})).toMatchObject({ state: 'error' });
  await harness.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('when its server takes no writes any more the platform is not ready and says so, and goes on when it does', async () => {
  const database = await startPrivateDatabase();
  const harness = await openOpsHarness();
  const ops = await harness.startReplica({ mysqlUrl: createSecret(database.url) });
  const user = ops.as('zhangsan');
  const change = ['k8s.scale', { unit: '电商', namespace: 'shop', name: 'cart', replicas: 4 }] as const;
  const preview = await user.preview(...change);
  await ops.checks.mysql?.();

  await database.admin('set global read_only = 1');
  await expect(ops.checks.mysql?.()).rejects.toMatchObject({ code: 'ER_OPTION_PREVENTS_STATEMENT' });
  expect(await user.run(...change, preview)).toEqual({
    state: 'error',
    message: '平台的数据库暂时连不上。操作可能已经执行，结果查清后会告诉你，请不要重复操作',
  });
  const refused = await ops.app.inject(await signedRequest('me', {}));
  expect(refused.statusCode).toBe(503);
  expect(refused.json().message).toBe('平台的数据库暂时连不上。没有执行任何操作，请稍后再试');

  await database.admin('set global read_only = 0');
  await ops.checks.mysql?.();
  expect(await user.run(...change, preview)).toMatchObject({ state: 'done' });
  await harness.stop();
  await database.stop();
});
