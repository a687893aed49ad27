import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type PrivateDatabase, startPrivateDatabase, urlOn } from '#test/private-database.ts';
import { startTcpProxy, type TcpProxy } from '#test/tcp-proxy.ts';
import { openKysely, transact } from '../../src/server/database.ts';
import type { MysqlOptions } from '../../src/server/mysql.ts';
import { codeOf, isDatabaseAway } from '../../src/server/mysql-errors.ts';

const CONNECTIONS = 5;
let old: PrivateDatabase;
let next: PrivateDatabase;
let proxy: TcpProxy;
let db: Kysely<object>;

beforeAll(async () => {
  [old, next] = await Promise.all([startPrivateDatabase(), startPrivateDatabase()]);
  for (const server of [old, next]) await server.admin('create table keypad.notes (id int primary key)');
});
afterAll(() => Promise.all([old.stop(), next.stop()]));
beforeEach(async () => {
  proxy = await startTcpProxy(old.port);
});
afterEach(async () => {
  await db.destroy();
  await proxy.stop();
  await old.admin('set global read_only = 0');
  for (const server of [old, next]) await server.admin('truncate table keypad.notes');
});

/** Opens the pool through the proxy, and makes all of its connections. */
async function open(options: MysqlOptions = {}): Promise<void> {
  db = openKysely(urlOn(proxy.port), { connections: CONNECTIONS, ...options });
  expect(new Set(await inParallel(connectionId)).size).toBe(CONNECTIONS);
}

function inParallel<T>(work: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => work(n)));
}

async function connectionId(): Promise<number> {
  const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(db);
  return Number(rows[0]?.id);
}

async function port(): Promise<number> {
  const { rows } = await sql<{ port: number }>`select @@port as port`.execute(db);
  return Number(rows[0]?.port);
}

const write = (id: number) => sql`insert into notes values (${id})`.execute(db);

/** What a statement or a transaction failed with. */
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );

async function expectAway(work: Promise<unknown>, code: string): Promise<void> {
  const error = await errorOf(work);
  expect([codeOf(error), isDatabaseAway(error)]).toEqual([code, true]);
}

test('after a promotion one refused statement is enough, and all connections lead to the new server', async () => {
  await open();
  await old.admin('set global read_only = 1');
  proxy.leadTo(next.port);
  await expectAway(write(1), 'ER_OPTION_PREVENTS_STATEMENT');
  for (let id = 2; id < 12; id += 1) await write(id);
  expect(new Set(await inParallel(port))).toEqual(new Set([next.port]));
  expect(await next.admin('select count(*) as n from keypad.notes')).toEqual([{ n: 10 }]);
});

test('statements that are refused at the same time, in transactions too, cost one failure each', async () => {
  await open();
  await old.admin('set global read_only = 1');
  proxy.leadTo(next.port);
  const writeInTransaction = (id: number) =>
    transact(db, async (tx) => {
      await sql`select id from notes`.execute(tx);
      await sql`insert into notes values (${id})`.execute(tx);
    });
  await inParallel((n) => expectAway(writeInTransaction(n), 'ER_OPTION_PREVENTS_STATEMENT'));
  await inParallel(writeInTransaction);
  expect(await next.admin('select count(*) as n from keypad.notes')).toEqual([{ n: CONNECTIONS }]);
});

test('a server that stays read-only gets no more than one new connection a second for each in the pool', async () => {
  let now = 0;
  await open({ now: () => now });
  await old.admin('set global read_only = 1');
  const refuse = () => expectAway(write(1), 'ER_OPTION_PREVENTS_STATEMENT');
  const idsAfterRefusal = async () => {
    await refuse();
    return (await inParallel(connectionId)).sort((a, b) => a - b);
  };
  const first = await idsAfterRefusal();
  now += 999;
  expect(await idsAfterRefusal()).toEqual(first);
  now += 1;
  expect(Math.min(...(await idsAfterRefusal()))).toBeGreaterThan(Math.max(...first));
});

test('when a link dies without FIN, one statement waits in vain and the other connections are not used again', async () => {
  await open({ statementMs: 1000 });
  proxy.swallow();
  await expectAway(write(1), 'PROTOCOL_SEQUENCE_TIMEOUT');
  for (let id = 2; id < 12; id += 1) await write(id);
  await inParallel((n) => write(100 + n));
});

test('in a transaction too, which fails with what really happened', async () => {
  await open({ statementMs: 1000 });
  const late = transact(db, async (tx) => {
    await sql`insert into notes values (1)`.execute(tx);
    proxy.swallow();
    await sql`insert into notes values (2)`.execute(tx);
  });
  await expectAway(late, 'PROTOCOL_SEQUENCE_TIMEOUT');
  // The server knows of nothing yet, and keeps the lock on the first row.
  await inParallel((n) => write(100 + n));
});

test('what a transaction had locked on a link that died is free again after a while', async () => {
  await open({ statementMs: 1000, idleMs: 2000 });
  const late = transact(db, async (tx) => {
    await sql`insert into notes values (1)`.execute(tx);
    proxy.swallow();
    await sql`insert into notes values (2)`.execute(tx);
  });
  await expectAway(late, 'PROTOCOL_SEQUENCE_TIMEOUT');
  const rewrite = () =>
    sql`insert ignore into notes values (1)`.execute(db).then(
      () => 'written',
      (error: unknown) => codeOf(error),
    );
  await expect.poll(rewrite, { timeout: 25_000, interval: 50 }).toBe('written');
});

test('a connection that the server may be ending is not used again', async () => {
  let now = 0;
  await open({ idleMs: 2000, now: () => now });
  const first = await connectionId();
  now += 1000;
  expect(await connectionId()).toBe(first);
  now += 1001;
  expect(await connectionId()).toBeGreaterThan(first);
});

test('a new connection that is not prepared in time keeps nobody waiting', async () => {
  db = openKysely(urlOn(proxy.port), { statementMs: 1000 });
  await old.admin('set global init_connect = "do sleep(600)"');
  await expectAway(write(1), 'PROTOCOL_SEQUENCE_TIMEOUT');
  await old.admin('set global init_connect = ""');
  await write(2);
});

test('a transaction whose connection is ended between two statements is one whose database was away', async () => {
  await open();
  const killed = transact(db, async (tx) => {
    const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(tx);
    await old.admin(`kill ${rows[0]?.id}`);
    await expectAway(sql`insert into notes values (1)`.execute(tx), 'PROTOCOL_CONNECTION_LOST');
    await sql`insert into notes values (2)`.execute(tx);
  });
  await expectAway(killed, 'PROTOCOL_CONNECTION_LOST');
  await write(3);
  expect(await old.admin('select id from keypad.notes')).toEqual([{ id: 3 }]);
});
