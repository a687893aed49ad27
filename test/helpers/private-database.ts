import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { startMariadbServer } from '../../demo/servers/mariadb-server.ts';
import { freePort } from '../../demo/servers/private-process.ts';

/** A MariaDB of one test alone, with the database `keypad` and an account that `read_only` binds. */
export interface PrivateDatabase {
  readonly port: number;
  /** Connects as an account that may do everything in `keypad`, and nothing else. */
  readonly url: string;
  /** Runs a statement as the server's administrator. */
  admin(sql: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts one; `args` are further arguments of the server. */
export async function startPrivateDatabase(args: readonly string[] = []): Promise<PrivateDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-private-'));
  const port = await freePort();
  const server = await startMariadbServer({ directory, port, isThrowaway: true, args });
  const connection = await mysql.createConnection(server.url);
  await connection.query('create database keypad character set utf8mb4');
  await connection.query(`create user 'keypad'@'127.0.0.1'`);
  await connection.query(`grant all on keypad.* to 'keypad'@'127.0.0.1'`);
  return {
    port,
    url: urlOn(port),
    admin: async (sql) => (await connection.query(sql))[0],
    async stop() {
      connection.destroy();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The account and the database behind another port. */
export function urlOn(port: number): string {
  return `mysql://keypad@127.0.0.1:${port}/keypad`;
}
