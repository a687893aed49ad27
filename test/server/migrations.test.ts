import type { Migration } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { startPrivateDatabase } from '#test/private-database.ts';
import { openKysely } from '../../src/server/database.ts';
import { migrate, versionProblem } from '../../src/server/migrations.ts';

const noMigrations = { steps: {}, table: 'none', setting: 'MYSQL_URL' };

test.each([
  ['5.7.44-log', false],
  ['8.0.11', true],
  ['8.0.36-28', true],
  ['8.4.3', true],
  ['9.7.4-2', true],
  ['10.5.26-MariaDB-0+deb11u2', false],
  ['10.6.0-MariaDB', true],
  ['10.11.19-MariaDB-0+deb12u1', true],
  ['11.4.2-MariaDB-ubu2404', true],
  ['5.5.5-10.5.9-MariaDB-log', false],
  ['5.5.5-10.11.6-MariaDB-log', true],
  ['5.5.5-m3', false],
  ['5.5.68-MariaDB', false],
  ['a fork', false],
  ['', false],
])('the server version %j is new enough: %s', (version, isEnough) => {
  expect(versionProblem(version) === undefined).toBe(isEnough);
});

test('the server of the tests is new enough, and an old one is refused before anything is made on it', async () => {
  const database = await createDatabase();
  const current = openKysely<object>(database.url);
  await migrate(current, noMigrations);
  await current.destroy();
  await database.drop();
  const old = await startPrivateDatabase(['--version=10.5.26-MariaDB-log']);
  const db = openKysely<object>(old.url);
  onTestFinished(async () => {
    await db.destroy();
    await old.stop();
  });
  await expect(migrate(db, noMigrations)).rejects.toMatchObject({
    name: 'ConfigError',
    problems: [
      'MYSQL_URL: the server is 10.5.26-MariaDB-log, but Keypad needs MySQL 8.0 or MariaDB 10.6, or a later version of either.',
    ],
  });
  expect(await old.admin('show tables in keypad')).toEqual([]);
});

test('databases on one server are brought up to date side by side, and one database once', async () => {
  const databases = await Promise.all([createDatabase(), createDatabase()]);
  const [first, again, other] = [0, 0, 1].map((n) => openKysely<object>(databases[n]?.url ?? ''));
  if (first === undefined || again === undefined || other === undefined) throw new Error('three were opened');
  onTestFinished(async () => {
    for (const db of [first, again, other]) await db.destroy();
    for (const { drop } of databases) await drop();
  });
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const done: string[] = [];
  const stepOf = (name: string): Migration => ({
    async up() {
      begun.resolve();
      await go.promise;
      done.push(name);
    },
  });
  const of = (step: Migration) => ({ steps: { one: step }, table: 'steps', setting: 'MYSQL_URL' });
  const slow = migrate(first, of(stepOf('first')));
  await begun.promise;
  const second = migrate(again, of(stepOf('again')));
  await migrate(other, of({ up: async () => void done.push('other') }));
  expect(done).toEqual(['other']);
  go.resolve();
  await Promise.all([slow, second]);
  expect(done).toEqual(['other', 'first']);
});
