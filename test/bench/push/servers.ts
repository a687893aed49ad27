import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'kysely';
import mysql from 'mysql2/promise';
import { startMariadbServer } from '../../../demo/servers/mariadb-server.ts';
import { freePort, startProcess } from '../../../demo/servers/private-process.ts';
import { startRole } from '../../../demo/servers/role-process.ts';
import { createKeys } from '../../../src/push/apps/keys.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { migrate } from '../../../src/push/database/migrations.ts';
import { cpuMicroseconds } from '../wire.ts';

/** How long the simulated WeCom takes; ms. */
export const WECOM_MS = 50;

/** What message delivery stands on, for as long as it is measured. */
export interface BenchServers {
  readonly wecomUrl: string;
  /** What the database server has used so far; µs of CPU. */
  readonly databaseCpu: () => number;
  /** A new database with the tables, an app that may ask as often as it likes, and `backlog` messages that are due. */
  prepare(backlog: number): Promise<BenchDatabase>;
}

/** A database, and how to ask for a push. */
export interface BenchDatabase {
  readonly url: string;
  readonly masterKey: string;
  readonly app: string;
  readonly key: string;
}

/** A process of the role `push`. */
export interface PushProcess {
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Starts MariaDB and a WeCom that takes everything; `stops` gets what ends them. */
export async function startServers(
  directory: string,
  stops: (() => Promise<unknown>)[],
): Promise<BenchServers> {
  const mariadb = await startMariadbServer({ directory: join(directory, 'mariadb'), port: await freePort() });
  stops.push(mariadb.stop);
  const port = await freePort();
  const wecomUrl = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${wecomUrl}/readyz`).then(
      () => true,
      () => false,
    );
  const file = new URL('wecom.ts', import.meta.url).pathname;
  const wecom = await startProcess(process.execPath, [file, `${port}`, `${WECOM_MS}`], isReady);
  stops.push(wecom.stop);
  let databases = 0;
  return {
    wecomUrl,
    databaseCpu: () => cpuMicroseconds(mariadb.process.pid as number),
    async prepare(backlog) {
      databases += 1;
      const connection = await mysql.createConnection(mariadb.url);
      await connection.query(`CREATE DATABASE bench${databases}`);
      await connection.end();
      const url = new URL(`/bench${databases}`, mariadb.url).href;
      const masterKey = randomBytes(33).toString('base64');
      const db = openDatabase(url, { statementMs: 600_000 });
      await migrate(db);
      const keys = createKeys({ db, masterKey, now: Date.now });
      const { key } = await keys.create({
        app: 'bench',
        scopes: ['text', 'to:users'],
        perMinute: 1_000_000,
        callbackHosts: [],
      });
      if (backlog > 0) await fill(db, backlog);
      await db.destroy();
      return { url, masterKey, app: 'bench', key };
    },
  };
}

const PART = 100_000;

/** One message to so many people, each of whom needs a call of their own, all due. */
async function fill(db: ReturnType<typeof openDatabase>, backlog: number): Promise<void> {
  await sql`insert into messages (id, app, lane, kind, content, request_hash, receivers, open, created_at, send_at)
    values ('backlog', 'bench', 'normal', 'text', '{"text":"backlog"}', '', ${backlog}, ${backlog}, 1, 1)`.execute(
    db,
  );
  for (let from = 0; from < backlog; from += PART) {
    const count = Math.min(PART, backlog - from);
    const numbers = sql`(with recursive n as (select ${from} i union all select i + 1 from n where i < ${from + count - 1})
      select i from n)`;
    await sql`set session max_recursive_iterations = ${PART}`.execute(db).catch(() => {});
    await sql`insert into deliveries (message_id, receiver, line, since, due_at)
      select 'backlog', concat('user:old', i), concat('normal:user:old', i), i, 1 from ${numbers} n`.execute(
      db,
    );
    await sql`insert into delivery_lines (line, account, lane, due_at)
      select concat('normal:user:old', i), 'default', 'normal', i from ${numbers} n`.execute(db);
  }
}

/** Starts a process of the role on a database. */
export async function startPush(
  directory: string,
  { wecomUrl }: BenchServers,
  { url, masterKey }: BenchDatabase,
  concurrency: number,
): Promise<PushProcess> {
  const [port, internalPort] = [await freePort(), await freePort()];
  const env = {
    WECOM_CORP_ID: 'wwbench',
    WECOM_AGENT_ID: '1',
    WECOM_SECRET: 'bench',
    WECOM_API_URL: wecomUrl,
    PUSH_PORT: `${port}`,
    PUSH_INTERNAL_PORT: `${internalPort}`,
    PUSH_ALLOWED_SOURCES: '127.0.0.1',
    PUSH_MYSQL_URL: url,
    PUSH_MASTER_KEY: masterKey,
    PUSH_ACCOUNT_LIMIT: '10000000',
    PUSH_ROBOTS: '{}',
    PUSH_CONCURRENCY: `${concurrency}`,
  };
  const { process: running, stop } = await startRole({ role: 'push', env, internalPort, directory });
  return { port, pid: running.pid as number, stop };
}
