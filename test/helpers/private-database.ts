import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { startMariadbServer } from '../../demo/servers/mariadb-server.ts';
import { putFreshMariadb } from './fresh-mariadb.ts';
import { choosePort } from './ports.ts';

/** A MariaDB of one test alone, with the database `keypad` and an account that `read_only` binds. */
export interface PrivateDatabase {
  readonly port: number;
  /** Connects as an account that may do everything in `keypad`, and nothing else. */
  readonly url: string;
  /** Runs a statement as the server's administrator. */
  admin(sql: string): Promise<unknown>;
  /** `kill -9`; what was committed is kept. Resolves when the server is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data. Resolves when it takes connections. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; `args` are further arguments of the server. */
export async function startPrivateDatabase(args: readonly string[] = []): Promise<PrivateDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-private-'));
  putFreshMariadb(directory);
  const port = await choosePort();
  const start = () => startMariadbServer({ directory, port, isThrowaway: true, args });
  let server = await start();
  const admin = async (sql: string): Promise<unknown> => {
    const connection = await mysql.createConnection(server.url);
    try {
      return (await connection.query(sql))[0];
    } finally {
      connection.destroy();
    }
  };
  await admin('create database keypad character set utf8mb4');
  await admin(`create user 'keypad'@'127.0.0.1'`);
  await admin(`grant all on keypad.* to 'keypad'@'127.0.0.1'`);
  return {
    port,
    url: urlOn(port),
    admin,
    async kill() {
      const gone = once(server.process, 'exit');
      server.process.kill('SIGKILL');
      await gone;
    },
    async start() {
      server = await start();
    },
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The account and the database behind another port. */
export function urlOn(port: number): string {
  return `mysql://keypad@127.0.0.1:${port}/keypad`;
}
