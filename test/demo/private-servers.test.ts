import mysql from 'mysql2/promise';
import { afterAll, expect, test } from 'vitest';
import { createDatabase } from '#test/database.ts';
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
