import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
import { isRunning } from '#test/demo.ts';
import { choosePort } from '#test/ports.ts';
import { startRedis } from '#test/redis.ts';
import { startMariadbServer } from '../../../demo/servers/mariadb-server.ts';
import { startRedisServer } from '../../../demo/servers/redis-server.ts';
import { createRedis } from '../../../src/server/redis.ts';

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

test('servers with a password let nobody in without it, and show it to nobody else', async () => {
  const password = 'ThePasswordOfBoth';
  const directory = mkdtempSync(join(tmpdir(), 'keypad-secret-'));
  const [redisPort, mariadbPort] = [await choosePort(), await choosePort()];
  const place = (name: string, port: number) => ({ directory: join(directory, name), port, password });
  const both = [
    await startRedisServer(place('redis "\\ x', redisPort)),
    await startMariadbServer({ ...place('mariadb', mariadbPort), isThrowaway: true }),
  ] as const;
  try {
    const [{ url }, mariadb] = both;
    const ask = async (address: string) => {
      const redis = createRedis(address);
      try {
        return await redis.ping();
      } finally {
        redis.disconnect();
      }
    };
    expect(await ask(url)).toBe('PONG');
    await expect(ask(`redis://127.0.0.1:${redisPort}`)).rejects.toThrow('NOAUTH');
    const connection = await mysql.createConnection(mariadb.url);
    const [accounts] = await connection.query("select user, host from mysql.user where user = ''");
    expect(accounts).toEqual([]);
    await connection.end();
    for (const user of ['root', 'nobody']) {
      const stranger = mysql.createConnection({ host: '127.0.0.1', port: mariadbPort, user });
      await expect(stranger).rejects.toThrow('Access denied');
    }
    for (const { process: child } of both) {
      expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).not.toContain(password);
    }
    for (const file of ['redis "\\ x/redis.conf', 'mariadb/accounts.sql', 'mariadb/client.cnf']) {
      expect(readFileSync(join(directory, file), 'utf8')).toContain(password);
      expect(statSync(join(directory, file)).mode & 0o077).toBe(0);
    }
  } finally {
    for (const server of both) await server.stop();
    rmSync(directory, { recursive: true });
  }
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
