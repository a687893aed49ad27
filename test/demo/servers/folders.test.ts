import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import mysql from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { choosePort } from '#test/ports.ts';
import { explain } from '../../../demo/failure.ts';
import { installMariadb, startMariadbServer } from '../../../demo/servers/mariadb-server.ts';
import { startRedisServer } from '../../../demo/servers/redis-server.ts';
import { envFile } from '../../../demo/settings.ts';
import { InputError } from '../../../src/errors.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keypad-folders-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

/** Each would be another folder, or several, for a shell; the last is longer than a socket's name may be. */
const names = ["a b'好", '$HOME "x" #1', `deep-${'x'.repeat(120)}`];

describe.each(names)('in a folder called %s', (name) => {
  test('both servers start, and their settings lead there', async () => {
    const folder = join(directory, name);
    mkdirSync(folder);
    const mariadb = await startMariadbServer({
      directory: folder,
      port: await choosePort(),
      password: 'secret',
      isThrowaway: true,
    });
    const redis = await startRedisServer({ directory: join(folder, 'redis'), port: await choosePort() });
    const connection = await mysql.createConnection(mariadb.url);
    const [rows] = await connection.query('select @@datadir as data');
    connection.destroy();
    await Promise.all([mariadb.stop(), redis.stop()]);
    expect(rows).toEqual([{ data: join(folder, 'data/') }]);
    expect(existsSync(join(folder, 'redis/appendonlydir'))).toBe(true);
  });
});

test('data that were half made are made anew', async () => {
  mkdirSync(join(directory, 'data'));
  mkdirSync(join(directory, 'unfinished/mysql'), { recursive: true });
  installMariadb({ directory, isThrowaway: true });
  expect(existsSync(join(directory, 'data/mysql'))).toBe(true);
  expect(existsSync(join(directory, 'unfinished'))).toBe(false);
});

test('data that cannot be made are one sentence with what the program says, and nothing is left of them', () => {
  const programs = join(directory, 'bin');
  mkdirSync(programs);
  const script = '#!/bin/sh\necho "[ERROR] InnoDB: preallocating failed with error 28" >&2\nexit 1\n';
  writeFileSync(join(programs, 'mariadb-install-db'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
  const install = () => installMariadb({ directory, isThrowaway: true });
  expect(install).toThrow(InputError);
  expect(install).toThrow(/where \d+ MB are free and about 200 are needed: .*failed with error 28$/);
  expect(existsSync(join(directory, 'data'))).toBe(false);
});

describe('what the disk refuses', () => {
  test.each([
    ['ENOSPC', 'the disk is full: free some space.'],
    ['EDQUOT', 'your share of the disk is used up: free some space.'],
    ['EROFS', 'it is on a disk that is mounted read-only: use a copy of the project on another one.'],
    ['EACCES', 'it belongs to somebody else: use a copy of the project of your own.'],
  ])('%s is one sentence', (code, remedy) => {
    const error = Object.assign(new Error('x'), { code, path: '/a b/.demo' });
    expect(explain(error)).toBe(`The demo cannot write /a b/.demo; ${remedy}`);
  });

  test('anything else is a bug, and shows where', () => {
    const bug = new TypeError('x is not a function');
    expect(explain(bug)).toBe(bug);
  });
});

test('the settings of a demo are read alike by Node and by a shell, whatever the folder is called', () => {
  const settings = {
    PLAIN: 'redis://127.0.0.1:1',
    SPACE: '/tmp/a b/好',
    HASH: '/tmp/a#1',
    DOLLAR: '/tmp/$HOME/`id`',
    QUOTE: "/tmp/a b'好/keypad",
  };
  const file = join(directory, 'env');
  writeFileSync(file, envFile(settings));
  expect(parseEnv(readFileSync(file, 'utf8'))).toEqual(settings);
  const script = `. "${file}"; for n in PLAIN SPACE HASH DOLLAR QUOTE; do eval "echo \\"$n=\\$$n\\""; done`;
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(stdout).toBe(
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
});
