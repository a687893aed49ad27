import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Audit, createAudit, verifyAudit } from '../../src/ops/audit/audit.ts';
import { createRefusals } from '../../src/ops/audit/refusals.ts';
import { type Database, openDatabase } from '../../src/ops/database.ts';
import { canonicalJson } from '../../src/ops/json.ts';
import { migrate } from '../../src/ops/migrations.ts';
import { openMysqlServer } from '../../src/ops/targets/mysql-server.ts';
import { createDatabase } from '../helpers/database.ts';
import { recordsOf } from './ops-harness.ts';

const KEY = 'the audit key of this test, which is long enough';
const AT = 1_767_225_600_000;

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Database;
let audit: Audit;

async function fresh(): Promise<void> {
  database = await createDatabase();
  db = openDatabase(database.url);
  await migrate(recordsOf(db));
  audit = createAudit(db, KEY);
}
async function gone(): Promise<void> {
  await audit.close();
  await db.destroy();
  await database.drop();
}

const entry = (index: number) => ({
  at: AT + index,
  outcome: 'done' as const,
  operation: 'k8s.scale',
  user: 'zhangsan',
  unit: '电商',
  target: `shop/web-${index}`,
  input: canonicalJson({ b: '😀', a: index }),
});
const write = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => audit.append(entry(index + 1))));
const problems = async () => (await verifyAudit(db, KEY)).problems;

describe('the audit', () => {
  beforeAll(fresh);
  afterAll(gone);

  test('chains what is appended at once, from several replicas, without a gap', async () => {
    const other = createAudit(db, KEY);
    await Promise.all([write(150), ...[1, 2, 3].map((index) => other.append(entry(index)))]);
    const { last, problems: found } = await verifyAudit(db, KEY);
    expect(found).toEqual([]);
    expect(last.seq).toBe(153);
  });

  test('shows nothing as true to another key', async () => {
    const { problems: found } = await verifyAudit(db, 'another key');
    expect(found[0]).toContain('row 1 was changed');
  });

  test('cuts what does not fit rather than lose a row', async () => {
    await audit.append({
      ...entry(1),
      operation: 'x'.repeat(5000),
      target: '😀'.repeat(1000),
      user: '\ud800',
    });
    expect(await problems()).toEqual([]);
  });

  test('writes each text as one line that can be seen, whoever it came from', async () => {
    await audit.append({ ...entry(1), target: '1\n2\u202e3', reason: 'a\u009bb', user: 'c\u2028d' });
    const last = db.selectFrom('audit').select(['target', 'reason', 'user']).orderBy('seq', 'desc').limit(1);
    const row = { target: '1↵2[U+202E]3', reason: 'a[U+009B]b', user: 'c↵d' };
    expect(await last.executeTakeFirst()).toEqual(row);
    expect(await problems()).toEqual([]);
  });

  test('names the user of an account whole, however long its name', async () => {
    const user = `wecom-callback/${'a'.repeat(32)}/${'u'.repeat(64)}`;
    await audit.append({ ...entry(1), user });
    const last = db.selectFrom('audit').select('user').orderBy('seq', 'desc').limit(1);
    expect(await last.executeTakeFirst()).toEqual({ user });
    expect(await problems()).toEqual([]);
  });

  test('keeps of each text as much as its column holds, so that no two who differ become one', async () => {
    const long = 'x'.repeat(5000);
    const texts = {
      user: long,
      operation: long,
      unit: long,
      target: long,
      hash: long,
      source: long,
      reason: long,
    };
    await audit.append({ ...entry(1), ...texts });
    const [row] = await db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(1).execute();
    const server = openMysqlServer({ name: 'shop-db', url: database.url, onFailure: () => {} });
    const columns = await server.rows(
      `select column_name as name, character_maximum_length as length from information_schema.columns
       where table_schema = database() and table_name = 'audit' and data_type = 'varchar'`,
    );
    await server.close();
    const held = Object.fromEntries(columns.map(({ name, length }) => [name, Number(length)]));
    const kept = (name: string) => row?.[name as keyof typeof texts]?.length;
    expect(Object.keys(texts).map((name) => [name, kept(name)])).toEqual(
      Object.keys(texts).map((name) => [name, held[name]]),
    );
  });

  test('refuses the entry when the database does', async () => {
    const away = openDatabase(database.url.replace(/\/keypad_\w+$/, '/keypad_nothing'));
    await expect(createAudit(away, KEY).append(entry(1))).rejects.toThrow(/keypad_nothing/);
    await away.destroy();
  });

  test('has the first refusal of a caller at once, and of the others of a minute one row that counts them', async () => {
    const refusals = createRefusals(audit);
    const call = (source: string, reason: string) => {
      const refusal = { source, user: '', reason };
      const row = { ...refusal, at: AT, outcome: 'denied', operation: 'first' } as const;
      return refusals.count(refusal, () => audit.append(row));
    };
    const rows = async () => {
      const all = await db
        .selectFrom('audit')
        .select(['source', 'reason'])
        .where('seq', '>', before)
        .execute();
      return all.map(({ source, reason }) => `${source} ${reason}`);
    };
    const before = (await verifyAudit(db, KEY)).last.seq;
    for (let index = 0; index < 1000; index += 1) await call('203.0.113.9', 'source');
    await call('203.0.113.9', 'token: none');
    expect(await rows()).toEqual(['203.0.113.9 source', '203.0.113.9 token: none']);
    const hosts = Array.from({ length: 300 }, (_, host) => `198.51.100.${host}`);
    await Promise.all(hosts.map((host) => call(host, 'token: forged')));
    expect(await rows()).toHaveLength(100);
    await refusals.flush(AT);
    expect((await rows()).slice(100)).toEqual([
      '203.0.113.9 source: 999 more in a minute',
      'others token: 202 more in a minute',
    ]);
    // Who goes on has a row a minute; who has been quiet for one is new again.
    for (const reason of ['source', 'source', 'token: none']) await call('203.0.113.9', reason);
    await refusals.flush(AT);
    expect((await rows()).slice(102)).toEqual([
      '203.0.113.9 token: none',
      '203.0.113.9 source: 2 more in a minute',
    ]);
  });

  test('loses no refusal that could not be written', async () => {
    let away = true;
    const written: string[] = [];
    const refusals = createRefusals({
      append: async ({ reason = '' }) => {
        if (away) throw new Error('away');
        written.push(reason);
        return undefined;
      },
    });
    const refusal = { source: '203.0.113.9', user: '', reason: 'source' };
    await expect(refusals.count(refusal, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await refusals.count(refusal, () => Promise.resolve());
    await expect(refusals.flush(AT)).rejects.toThrow('away');
    away = false;
    await refusals.flush(AT);
    expect(written).toEqual(['source: 2 more in a minute']);
  });
});

describe('whoever tampers with the audit is found out', () => {
  beforeEach(async () => {
    await fresh();
    await write(6);
  });
  afterEach(gone);

  const tampering: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    [
      'changes a row',
      () => db.updateTable('audit').set({ user: 'lisi' }).where('seq', '=', 3).execute(),
      'row 3 was changed',
    ],
    [
      'changes a time',
      () => db.updateTable('audit').set({ at: AT }).where('seq', '=', 3).execute(),
      'row 3 was changed',
    ],
    ['removes a row', () => db.deleteFrom('audit').where('seq', '=', 3).execute(), 'row 3 was removed'],
    [
      'removes the first rows',
      () => db.deleteFrom('audit').where('seq', '<', 3).execute(),
      'rows 1 to 2 were removed',
    ],
    [
      'cuts the end off',
      () => db.deleteFrom('audit').where('seq', '>', 4).execute(),
      'rows 5 to 6 were removed from the end',
    ],
    ['removes everything', () => db.deleteFrom('audit').execute(), 'rows 1 to 6 were removed from the end'],
    ['removes the head', () => db.deleteFrom('audit_head').execute(), 'the head of the chain was removed'],
    [
      'writes another end into the head',
      () =>
        db
          .updateTable('audit_head')
          .set({ mac: 'f'.repeat(64) })
          .execute(),
      'the head of the chain does not fit row 6',
    ],
    [
      'removes a row and closes the gap',
      async () => {
        await db.deleteFrom('audit').where('seq', '=', 3).execute();
        await db
          .updateTable('audit')
          .set((row) => ({ seq: row('seq', '-', 1) }))
          .where('seq', '>', 3)
          .orderBy('seq')
          .execute();
      },
      'row 3 was changed',
    ],
    [
      'swaps two rows',
      async () => {
        for (const [from, to] of [
          [3, 99],
          [4, 3],
          [99, 4],
        ] as const) {
          await db.updateTable('audit').set({ seq: to }).where('seq', '=', from).execute();
        }
      },
      'row 3 was changed, inserted or moved',
    ],
    [
      'inserts a row',
      async () => {
        await db
          .updateTable('audit')
          .set((row) => ({ seq: row('seq', '+', 1) }))
          .where('seq', '>', 3)
          .orderBy('seq', 'desc')
          .execute();
        const row = await db.selectFrom('audit').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow();
        await db
          .insertInto('audit')
          .values({ ...row, seq: 4 })
          .execute();
      },
      'row 4 was changed, inserted or moved',
    ],
    [
      'adds a row behind the end',
      async () => {
        const row = await db.selectFrom('audit').selectAll().where('seq', '=', 6).executeTakeFirstOrThrow();
        await db
          .insertInto('audit')
          .values({ ...row, seq: 7 })
          .execute();
      },
      'row 7 was changed, inserted or moved',
    ],
    [
      'hides a row before the first',
      async () => {
        const row = await db.selectFrom('audit').selectAll().where('seq', '=', 6).executeTakeFirstOrThrow();
        await db
          .insertInto('audit')
          .values({ ...row, seq: -1 })
          .execute();
      },
      'row -1 was changed, inserted or moved',
    ],
  ];
  test('when one puts a row in its place that was written elsewhere under the same key', async () => {
    const twin = await createDatabase();
    const twinDb = openDatabase(twin.url);
    await migrate(recordsOf(twinDb));
    const twinAudit = createAudit(twinDb, KEY);
    for (let index = 1; index <= 3; index += 1) await twinAudit.append(entry(index + 10));
    const row = await twinDb.selectFrom('audit').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow();
    await twinDb.destroy();
    await twin.drop();
    await db.updateTable('audit').set(row).where('seq', '=', 3).execute();
    expect((await problems())[0]).toContain('row 3 was changed');
  });

  test.each(tampering)('when one %s', async (_what, tamper, sentence) => {
    expect(await problems()).toEqual([]);
    await tamper();
    expect((await problems()).join('\n')).toContain(sentence);
  });

  test('when one cuts the end off and turns the head back, by whoever noted an earlier end', async () => {
    const { last } = await verifyAudit(db, KEY);
    await db.deleteFrom('audit').where('seq', '>', 4).execute();
    const { mac } = await db.selectFrom('audit').select('mac').where('seq', '=', 4).executeTakeFirstOrThrow();
    await db.updateTable('audit_head').set({ seq: 4, mac }).execute();
    expect(await problems()).toEqual([]);
    const { problems: found } = await verifyAudit(db, KEY, last);
    expect(found).toEqual(['row 6, which was expected, is not there']);
    expect((await verifyAudit(db, KEY, { seq: 4, mac: '0'.repeat(64) })).problems).toEqual([
      'row 4 is not the one that was expected',
    ]);
  });

  test('by npm run audit:verify, which ends with 1', async () => {
    const env = { PATH: process.env.PATH, MYSQL_URL: database.url, OPS_AUDIT_KEY: KEY };
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, ['src/ops/audit/verify.ts', ...args], { env });
    const { stdout } = await run();
    expect(stdout).toContain('6 rows, none changed or removed.');
    const expected = /--at (\S+)/.exec(stdout)?.[1] ?? '';
    expect((await run('--at', expected)).stdout).toContain('6 rows');
    expect((await run('--expect', expected)).stdout).toContain('6 rows');
    const other = `6:${'0'.repeat(64)}`;
    await expect(run('--at', other)).rejects.toMatchObject({
      code: 1,
      stderr: 'row 6 is not the one that was expected\n',
    });
    await db.deleteFrom('audit').where('seq', '=', 2).execute();
    await expect(run()).rejects.toMatchObject({ code: 1, stderr: 'row 2 was removed\n' });
    await expect(run('--at', 'x')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--at'),
    });
  });
});
