import mysql, { type Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { killQuery } from '../../operations/mysql/_running-query.ts';
import type { MysqlServer } from '../../src/ops/targets/mysql-server.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

/** A server that fails here fails the test. */
const failed: MysqlServer['failed'] = (cause) => {
  throw cause;
};

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
});
afterAll(() => harness.stop());

let victim: Connection;
let slow: Promise<unknown>;
let marker = 0;
beforeEach(async () => {
  victim = await mysql.createConnection(harness.mysqlUrl);
  marker += 1;
  slow = victim.query(`select sleep(60) as slept, 'query ${marker}'`).then(
    ([rows]) => ((rows as { slept: number }[])[0]?.slept === 0 ? 'asleep' : 'woken'),
    (error: unknown) => error,
  );
});
afterEach(() => victim.destroy());

const running = () =>
  until(async () => {
    const list = await ops.as('zhangsan').read('mysql.processlist', { unit: '电商' });
    return list.find(({ sql }) => sql.includes(`'query ${marker}'`));
  });
const target = ({ instance, id, query }: Awaited<ReturnType<typeof running>>) => ({
  unit: '电商',
  instance,
  id,
  query,
});

describe('running queries', () => {
  test('are shown without idle connections and without our own', async () => {
    const idle = await mysql.createConnection(harness.mysqlUrl);
    const found = await running();
    expect(found).toMatchObject({
      instance: 'shop-db',
      id: String(victim.threadId),
      query: expect.stringMatching(/^(q:\d+|e:\d+:\d+)$/),
      user: 'root',
      database: new URL(harness.mysqlUrl).pathname.slice(1),
      sql: `select sleep(60) as slept, 'query ${marker}'`,
    });
    expect(found.label).toContain('root@');
    const list = await ops.as('zhangsan').read('mysql.processlist', { unit: '电商' });
    expect(list.map(({ id }) => id)).not.toContain(String(idle.threadId));
    expect(list.filter(({ sql }) => /processlist/i.test(sql))).toEqual([]);
    expect(list.map(({ seconds }) => seconds)).toEqual(
      list.map(({ seconds }) => seconds).sort((a, b) => b - a),
    );
    await idle.end();
  });

  test('are cut to what a phone can show', async () => {
    const long = await mysql.createConnection(harness.mysqlUrl);
    const query = long.query(`select sleep(60),\n   '${'😀'.repeat(500)}'`).catch(() => undefined);
    const shown = await until(async () => {
      const list = await ops.as('zhangsan').read('mysql.processlist', { unit: '电商' });
      return list.find(({ id }) => id === String(long.threadId));
    });
    expect([...shown.sql]).toHaveLength(200);
    expect(shown.sql).not.toContain('\n');
    expect(shown.sql).toContain('😀');
    await harness.sql(`kill query ${long.threadId}`);
    await query;
    await long.end();
  });
});

describe('ending a query', () => {
  test('shows whose it is, asks for the code, and ends just that query', async () => {
    const query = await running();
    const shown = await ops.as('zhangsan').preview('mysql.kill', target(query));
    expect(shown.risk).toBe('high');
    expect(shown.lines[0]).toBe('电商 · shop-db');
    expect(shown.lines[2]).toMatch(/^用户 root，库 keypad_\w+，已运行 \d+ 秒$/);
    expect(shown.lines[3]).toBe(`语句 select sleep(60) as slept, 'query ${marker}'`);

    expect(await ops.as('zhangsan').run('mysql.kill', target(query), shown, shown.code)).toEqual({
      state: 'done',
      text: `已终止：shop-db 连接 ${victim.threadId} 的查询不再运行`,
    });
    // MariaDB answers with an error, MySQL with what sleep() returns when it is woken.
    expect(await slow).not.toBe('asleep');
    const [rows] = await victim.query('select 1 as alive');
    expect(rows).toEqual([{ alive: 1 }]);
  });

  test.each([
    [0, true],
    [11, false],
  ])('has its effect %i s after it was sent: %s', async (late, isKilled) => {
    const { id, query } = await running();
    const connection = await mysql.createConnection(harness.serverUrl);
    const rows: MysqlServer['rows'] = async (statement, values) => {
      if (statement.startsWith('kill')) await connection.query(`set timestamp = unix_timestamp() + ${late}`);
      return (await connection.query(statement, [...(values ?? [])]))[0] as Record<string, unknown>[];
    };
    expect(await killQuery({ rows, failed }, { id, query }, () => undefined)).toBe(isKilled);
    const isStillThere = async () => (await running()).query === query;
    if (isKilled) expect(await slow).not.toBe('asleep');
    else expect(await isStillThere()).toBe(true);
    await connection.end();
  });

  test('is not even tried when it would be too late', async () => {
    const query = await running();
    const rows: MysqlServer['rows'] = (statement, values) => harness.sql(statement, values && [...values]);
    const tooLate = () => {
      throw new Error('too late');
    };
    await expect(killQuery({ rows, failed }, query, tooLate)).rejects.toThrow('too late');
    expect((await running()).query).toBe(query.query);
  });

  test('that ended by itself is refused, and the next query of the connection goes on', async () => {
    const query = await running();
    const shown = await ops.as('zhangsan').preview('mysql.kill', target(query));
    await harness.sql(`kill query ${victim.threadId}`);
    await slow;
    const next = victim.query('select sleep(60)').catch((error: unknown) => error);
    expect(await ops.as('zhangsan').run('mysql.kill', target(query), shown, shown.code)).toMatchObject({
      state: 'refused',
      reason: 'missing',
    });
    const list = await ops.as('zhangsan').read('mysql.processlist', { unit: '电商' });
    expect(list.map(({ id }) => id)).toContain(String(victim.threadId));
    await harness.sql(`kill query ${victim.threadId}`);
    await next;
  });

  test('never ends a later run of the same words on the same connection', async () => {
    const query = await running();
    const shown = await ops.as('zhangsan').preview('mysql.kill', target(query));
    await harness.sql(`kill query ${victim.threadId}`);
    await slow;
    const again = victim.query(query.sql).then(
      () => 'ended',
      () => 'ended',
    );
    const second = await running();
    expect(second.sql).toBe(query.sql);
    expect(second.query).not.toBe(query.query);
    expect(await ops.as('zhangsan').run('mysql.kill', target(query), shown, shown.code)).toMatchObject({
      state: 'refused',
      reason: 'missing',
    });
    expect((await running()).query).toBe(second.query);
    await harness.sql(`kill query ${victim.threadId}`);
    await again;
  });

  test('that is not there cannot even be previewed', async () => {
    const input = { unit: '电商', instance: 'shop-db', id: '1', query: 'q:1' };
    expect(await ops.as('zhangsan').post('mysql.kill/preview', input)).toMatchObject({ reason: 'missing' });
  });

  test('whose replica died in between is told of as unknown when the query is gone', async () => {
    const query = await running();
    const { id } = await ops.as('zhangsan').preview('mysql.kill', target(query));
    const now = harness.clock.now();
    await harness.sql(
      "update operations set state = 'started', started_at = ?, lease_owner = ?, lease_until = ? where id = ?",
      [now, id, now, id],
    );
    await harness.reseal(id);
    await harness.sql(`kill query ${victim.threadId}`);
    await slow;
    harness.clock.pass(5000);
    await ops.sweep();
    expect(await harness.told(id)).toMatchObject({ text: expect.stringContaining('无法确认是被终止的') });
  });
});
