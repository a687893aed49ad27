import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';
import { inject } from 'vitest';

/** A fresh, empty database on the run's private MariaDB; dropped by `drop`. */
export async function createDatabase(): Promise<{ url: string; serverUrl: string; drop(): Promise<void> }> {
  const serverUrl = inject('mariadbUrl');
  const name = `keypad_${randomUUID().replaceAll('-', '')}`;
  await withConnection(serverUrl, (connection) => connection.query(`CREATE DATABASE ${name}`));
  const drop = () =>
    withConnection(serverUrl, (connection) => connection.query(`DROP DATABASE IF EXISTS ${name}`));
  return { url: `${serverUrl}/${name}`, serverUrl, drop: async () => void (await drop()) };
}

async function withConnection<T>(
  url: string,
  work: (connection: mysql.Connection) => Promise<T>,
): Promise<T> {
  const connection = await mysql.createConnection(url);
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
