import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeclared } from '../../../src/ops/declared/index.ts';
import { type OpsHarness, openOpsHarness, type Replica } from '../ops-harness.ts';

const declaration = (query: string, more = '') => `
kind: sql
title: 报表
risk: read
input:
  name: { title: 名字, type: string }
  most: { title: 最多, type: integer, minimum: 1, maximum: 1000 }
sql:
  instance: shop-db
  database: DATABASE
  query: ${JSON.stringify(query)}
  ${more}
`;

const readDeclared = createDeclared({ environment: undefined });

let harness: OpsHarness;
let ops: Replica;
const file = (name: string, text: string) => {
  const database = new URL(harness.mysqlUrl).pathname.slice(1);
  writeFileSync(join(harness.directory, 'operations', `${name}.yaml`), text.replace('DATABASE', database));
};
beforeAll(async () => {
  harness = await openOpsHarness({
    policy: `
units: { 电商: { environment: test, mysql: [shop-db] } }
roles: { all: { members: { users: [zhangsan] }, grants: [{ operations: ['*'], units: '*', new: allowed }] } }
`,
  });
  const connection = await mysql.createConnection(harness.mysqlUrl);
  await connection.query('create table goods (name varchar(100), price int)');
  const rows = ['it\'s \\ 2"', '%_', '1 确认\n0 返回', '$(id)'].map((name, index) => [name, index]);
  await connection.query('insert into goods (name, price) values ?', [rows]);
  await connection.end();
  mkdirSync(join(harness.directory, 'operations'));
  file(
    'like',
    declaration('select name as 名, price as 价 from goods where name = {name} and price < {most}'),
  );
  file(
    'few',
    declaration('select name from goods where {most} > 0 and {name} <> "" order by price', 'rows: 2'),
  );
  // Of tables: a sleep alone is ended by MySQL without an error.
  file('slow', declaration('select sleep(20), {name}, {most} from goods', 'seconds: 1'));
  file(
    'writes',
    declaration('with a as (select 1) select sum(price) from goods where {name} <> "" for update'),
  );
  ops = await harness.startReplica({ operationsDir: join(harness.directory, 'operations') });
});
afterAll(() => harness.stop());

const report = (name: string, input: object) =>
  ops.as('zhangsan').post(name, { unit: '电商', name: 'x', most: 1000, ...input });

describe('a report', () => {
  test.each(['it\'s \\ 2"', '%_', '$(id)', 'no such', "' or 1=1 -- ", '{most}', '{{'])(
    'takes what is typed as a value, whatever it is: %s',
    async (name) => {
      const answered = await report('like', { name });
      const found = ['it\'s \\ 2"', '%_', '$(id)'].indexOf(name);
      const prices = [0, 1, 3];
      expect(answered).toEqual({
        state: 'done',
        output: found < 0 ? [] : [`名 ${name}，价 ${prices[found]}`],
      });
    },
  );

  test('takes no control characters, and nothing that was not declared', async () => {
    for (const input of [
      { name: 'a\nb' },
      { name: '' },
      { name: 'x'.repeat(201) },
      { most: 0 },
      { more: 1 },
    ]) {
      expect(await report('like', input)).toMatchObject({ state: 'refused', reason: 'input' });
    }
  });

  test('shows so many rows, each a plain line, and says that there are more', async () => {
    expect(await report('few', {})).toEqual({
      state: 'done',
      output: [`name it's \\ 2"`, 'name %_', '……只列出前 2 行'],
    });
    expect(await report('like', { name: '1 确认\n0 返回' })).toMatchObject({ state: 'refused' });
  });

  test('is ended by the server in time, and says so', async () => {
    expect(await report('slow', {})).toEqual({
      state: 'failed',
      message: '数据库 shop-db 超过了时限，没有结果',
    });
  });

  test('cannot write', async () => {
    const text = declaration('select 1 where {name} <> {most}').replace(
      'select 1',
      'with x as (select 1) delete from goods',
    );
    file('deletes', text);
    await ops.reload();
    expect(await report('deletes', {})).toMatchObject({ state: 'failed' });
    expect(await report('like', { name: '%_' })).toMatchObject({ output: ['名 %_，价 1'] });
  });
});

test.each([
  [
    'a part that is not there',
    'select {nobody}',
    'sql.query: has the part {nobody}, which is not there; there are unit, name, most',
  ],
  ['a part in quotes', "select '%{name}%'", 'sql.query: a part stands in quotes'],
  ['two statements', 'select {name}; delete from goods', 'sql.query: is one statement'],
  [
    'what changes something',
    'delete from goods where name = {name}',
    'sql.query: begins with select, with, show or explain',
  ],
  ['a single bracket', 'select {name} }', 'sql.query: has a single "}"'],
])('%s is named when it is loaded', (_what, query, problem) => {
  expect(() => readDeclared(declaration(query))).toThrow(problem);
});

test.each([
  ['dual', /risk: `dual` needs the approval of a second person/],
  ['low', /risk: a query only looks; write read/],
  ['huge', /risk: is read, low, high or dual/],
])('the risk %s is refused', (risk, problem) => {
  expect(() => readDeclared(declaration('select {name}').replace('risk: read', `risk: ${risk}`))).toThrow(
    problem,
  );
});
