import { readFile } from 'node:fs/promises';
import { Migrator, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { type Database, openDatabase } from '../../../src/push/database/database.ts';
import { migrate, steps } from '../../../src/push/database/migrations.ts';
import { openReplica, sendingAccount } from '../delivery/delivery-harness.ts';
import { scriptedWeCom } from '../delivery/scripted-wecom.ts';

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

/** A database as the version left it whose last step was this one; the script has it after the second. */
async function openOld(last: '2026-11-7-console' | '2026-12-1-accounts') {
  const { url, drop } = await createDatabase();
  const db = openDatabase(url);
  // The steps up to that one count as run.
  const done = Object.fromEntries(Object.keys(steps).map((name) => [name, { up: async () => {} }]));
  const provider = { getMigrations: async () => done };
  const tables = { migrationTableName: 'push_migration', migrationLockTableName: 'push_migration_lock' };
  await new Migrator({ db, provider, ...tables }).migrateTo(last);
  const script = await readFile(new URL('two-queues.sql', import.meta.url), 'utf8');
  for (const statement of script.split(';').filter((each) => each.trim() !== '')) {
    await sql.raw(statement).execute(db);
  }
  if (last === '2026-11-7-console') {
    for (const table of ['messages', 'deliveries', 'campaigns'])
      await sql`alter table ${sql.table(table)} drop column account`.execute(db);
    await sql`alter table deliveries modify line varchar(110), modify busy varchar(110)`.execute(db);
  }
  return { url, db, drop: () => db.destroy().then(drop) };
}

/** Columns and indexes of all tables, in the order of their names. */
async function formOf(db: Database) {
  const columns = await sql`select table_name, column_name, column_type, is_nullable, column_default, extra,
      collation_name, generation_expression from information_schema.columns
    where table_schema = database() order by table_name, column_name`.execute(db);
  const indexes = await sql`select table_name, index_name, seq_in_index, column_name, non_unique
    from information_schema.statistics
    where table_schema = database() order by table_name, index_name, seq_in_index`.execute(db);
  return [columns.rows, indexes.rows];
}

test.each(['2026-11-7-console', '2026-12-1-accounts'] as const)(
  'a database that was brought up to date from %s has the form of one that begins today',
  async (last) => {
    const [old, { url, drop }] = await Promise.all([openOld(last), createDatabase()]);
    const fresh = openDatabase(url);
    await Promise.all([migrate(old.db), migrate(fresh)]);
    expect(await formOf(old.db)).toEqual(await formOf(fresh));
    await fresh.destroy();
    await Promise.all([drop(), old.drop()]);
  },
);

test('a database that has the tables of the queue view loses them, and nothing else', async () => {
  const { db, drop } = await openOld('2026-11-7-console');
  for (const name of ['console_links', 'console_sessions']) {
    await sql`create table ${sql.table(name)} (id int primary key)`.execute(db);
  }
  await migrate(db);
  const tables = (await db.introspection.getTables()).map(({ name }) => name);
  expect(tables.filter((name) => name.startsWith('console'))).toEqual([]);
  expect(tables).toEqual(expect.arrayContaining(['messages', 'deliveries', 'attempts']));
  await drop();
});

describe('the step from two queues to one', () => {
  /** What the version with two queues leaves: waiting, under way, tried, for later, dead and done, of a campaign and with a webhook. */
  const HOUR = 3_600_000;
  type Row = Readonly<Record<string, string | number | null>>;
  const insert = async (db: Database, table: string, row: Row): Promise<void> => {
    const names = sql.join(Object.keys(row).map((name) => sql.ref(name)));
    await sql`insert into ${sql.table(table)} (${names}) values (${sql.join(Object.values(row))})`.execute(
      db,
    );
  };
  const message = (id: string, more: Row = {}): Row => ({
    id,
    app: 'ci',
    account: 'default',
    lane: 'normal',
    kind: 'text',
    content: JSON.stringify({ text: id }),
    request_hash: 'a'.repeat(64),
    receivers: 1,
    open: 1,
    created_at: 1,
    send_at: 1,
    ...more,
  });
  const delivery = (id: number, messageId: string, more: Row = {}): Row => ({
    id,
    message_id: messageId,
    receiver: 'user:anna',
    line: 'normal:user:anna',
    since: Date.now() - HOUR,
    due_at: Date.now() - HOUR,
    ...more,
  });

  async function openFilled() {
    const old = await openOld('2026-12-1-accounts');
    const { db } = old;
    const now = Date.now();
    const busy = { state: 'sending', busy: 'normal:user:anna', lease_owner: 'x', lease_until: now - 1 };
    const over = { line: null, finished_at: now - HOUR };
    const later = { line: null, wakes_at: now + HOUR, since: now + HOUR, due_at: now + HOUR };
    const rows: readonly (readonly [Row, Row])[] = [
      [message('under way'), delivery(10, 'under way', busy)],
      // Written by a replica whose clock was slow.
      [message('first'), delivery(11, 'first', { since: now - 2 * HOUR })],
      [message('second', { callback_url: 'https://ci.internal/' }), delivery(12, 'second')],
      [message('tomorrow'), delivery(13, 'tomorrow', { ...later, line: null })],
      [message('dead', { open: 0 }), delivery(14, 'dead', { ...over, state: 'dead', tries: 8 })],
      [message('sent', { open: 0 }), delivery(15, 'sent', { ...over, state: 'sent', parts: 1 })],
      [
        message('campaign', { lane: 'bulk', campaign_id: 'c' }),
        delivery(16, 'campaign', { line: 'bulk:user:anna' }),
      ],
      [
        message('of the shop', { account: 'shop' }),
        delivery(17, 'of the shop', { account: 'shop', line: 'normal:shop/user:anna' }),
      ],
      [
        message('to a robot'),
        delivery(18, 'to a robot', { receiver: 'robot:ops', line: 'normal:robot:ops' }),
      ],
    ];
    for (const [one, other] of rows) {
      await insert(db, 'messages', one);
      await insert(db, 'deliveries', other);
    }
    const attempt = { ms: 100, errmsg: '', msgid: null };
    await insert(db, 'attempts', { ...attempt, delivery_id: 15, at: now - 1000, errcode: '0' });
    await insert(db, 'attempts', { ...attempt, delivery_id: 14, at: now - 500, errcode: 'unsent' });
    await insert(db, 'attempts', { ...attempt, delivery_id: 15, at: now - 50 * HOUR, errcode: '0' });
    return { ...old, now };
  }

  test('loses nothing: all goes out in its order, and the limits go on', async () => {
    const old = await openFilled();
    const { db, now } = old;
    await migrate(db);
    const counted = await db.selectFrom('attempts').select(['target', 'ended_at']).orderBy('id').execute();
    expect(counted).toEqual([
      { target: 'user:anna', ended_at: now - 900 },
      { target: null, ended_at: null },
      { target: null, ended_at: null },
    ]);
    expect(await db.selectFrom('sent_days').select(['account', 'used']).execute()).toEqual([
      { account: 'default', used: 1 },
    ]);
    const weCom = scriptedWeCom();
    const accounts = { find: () => sendingAccount({ messenger: weCom.messenger }) };
    const replica = openReplica({ mysqlUrl: old.url, messenger: weCom.messenger, accounts });
    replica.start();
    for (const id of ['under way', 'first', 'second', 'campaign', 'of the shop', 'to a robot']) {
      expect(await replica.finished(id, 10_000), id).toBe(true);
    }
    const ofDefault = weCom.textsTo('user:anna').filter((text) => !/campaign|shop/.test(`${text}`));
    expect(ofDefault).toEqual(['under way', 'first', 'second']);
    expect(await replica.finished('tomorrow', 10)).toBe(false);
    const waiting = await db.selectFrom('deliveries').selectAll().where('line', 'is not', null).execute();
    expect(waiting).toMatchObject([{ message_id: 'tomorrow', line: 'normal:user:anna', state: 'queued' }]);
    expect(waiting[0]?.since).toBeGreaterThan(now);
    expect(await replica.resend('ci', 'dead')).toBe(1);
    expect(await replica.finished('dead', 10_000)).toBe(true);
    const twice = await db
      .selectFrom('deliveries')
      .select('message_id')
      .where('maybe_twice', '=', 1)
      .execute();
    expect(twice).toEqual([{ message_id: 'under way' }]);
    await replica.close();
    await old.drop();
  });

  test('may be run again after a crash in its middle', async () => {
    const old = await openFilled();
    const { db } = old;
    // Its last statement fails, after all others have been run.
    await sql`alter table deliveries drop key deliveries_by_end`.execute(db);
    await expect(migrate(db)).rejects.toThrow('deliveries_by_end');
    const before = await db.selectFrom('deliveries').select(['id', 'line', 'since']).orderBy('id').execute();
    await sql`alter table deliveries add key deliveries_by_end (finished_at, receiver)`.execute(db);
    await migrate(db);
    const after = await db.selectFrom('deliveries').select(['id', 'line', 'since']).orderBy('id').execute();
    expect(after).toEqual(before);
    expect(await db.selectFrom('delivery_lines').select('line').execute()).toHaveLength(4);
    await old.drop();
  });
});
