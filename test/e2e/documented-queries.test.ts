import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/ops/database.ts';
import { migrate } from '../../src/ops/migrations.ts';
import { createDatabase } from '../helpers/database.ts';
import { openPushDatabase } from '../helpers/push-database.ts';
import { recordsOf } from '../ops/ops-harness.ts';

/** The queries that CONTRIBUTING.md and deploy/README.md give to people, as they stand there. */
function queriesOf(document: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../..', document), 'utf8');
  const commands = [...text.matchAll(/-e "(select[^"]+)"/g), ...text.matchAll(/```sql\n([^`]+)```/g)];
  return commands.map(([, query = '']) => query);
}

const queries = [...queriesOf('CONTRIBUTING.md'), ...queriesOf('deploy/README.md')];
const isOfPush = (query: string) => /\b(messages|deliveries)\b/.test(query);

test('the queries of the documents fit the tables of the ops platform', async () => {
  const { url, drop } = await createDatabase();
  const db = openDatabase(url);
  await migrate(recordsOf(db));
  const ofOps = queries.filter((query) => !isOfPush(query));
  expect(ofOps.length).toBeGreaterThan(1);
  for (const query of ofOps) expect((await sql.raw(query).execute(db)).rows).toEqual([]);
  await db.destroy();
  await drop();
});

test('the queries of the documents fit the tables of message delivery', async () => {
  const { db, drop } = await openPushDatabase();
  const ofPush = queries.filter(isOfPush);
  expect(ofPush.length).toBeGreaterThan(0);
  for (const query of ofPush) expect((await sql.raw(query).execute(db)).rows).toEqual([]);
  await drop();
});
