import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { afterAll, expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { isRunning } from '#test/demo.ts';
import { startRedis } from '#test/redis.ts';

const redis = await startRedis();
afterAll(() => redis.stop());

test('a private redis-server listens on loopback only and ends with stop', async () => {
  expect(redis.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
  expect(redis.process.exitCode).toBeNull();
});

test('each test file gets an empty database of its own', async () => {
  const database = await createDatabase();
  const connection = await mysql.createConnection(database.url);
  const [rows] = await connection.query('SHOW TABLES');
  expect(rows).toEqual([]);
  await connection.end();
  await database.drop();
});

const canAskKernel = existsSync('/usr/bin/setpriv');
test.skipIf(!canAskKernel)(
  'a server ends with whoever started it, kill -9 included (skipped where setpriv is missing)',
  async () => {
    const redisModule = new URL('../../helpers/redis.ts', import.meta.url).href;
    const script = `const { startRedis } = await import('${redisModule}'); console.log((await startRedis()).process.pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false);
  },
);
