import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { startMariadbServer } from '../../../demo/servers/mariadb-server.ts';
import { freePort, startProcess } from '../../../demo/servers/private-process.ts';
import { startRole } from '../../../demo/servers/role-process.ts';
import { createKeys } from '../../../src/push/apps/keys.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { migrate } from '../../../src/push/database/migrations.ts';
import type { PushLoad, PushLoadResult } from './load.ts';

/** What is measured, and where its servers keep their files. */
export interface PushBench {
  readonly directory: string;
  readonly messages: number;
  readonly rounds: number;
  readonly concurrency: number;
  /** Stops what was started, in reverse order. */
  readonly stops: (() => Promise<unknown>)[];
}

const WECOM_MS = 50;
const CONNECTIONS = 64;
/** As many as the pool of message delivery has. */
const INSERTERS = 20;

/** Measures acceptance and delivery in turns with their floors, and prints the figures and their ratios. */
export async function benchPush({
  directory,
  messages,
  rounds,
  concurrency,
  stops,
}: PushBench): Promise<void> {
  const servers = await startServers(directory, stops);
  const { wecomUrl } = servers;
  const ratios: { accepted: number; delivered: number }[] = [];
  console.log(
    `message delivery: ${messages} messages, concurrency ${concurrency}, WeCom answers in ${WECOM_MS} ms`,
  );
  for (let round = 1; round <= rounds; round += 1) {
    const databaseUrl = await servers.newDatabase();
    const push = await startPush(join(directory, `round-${round}`), { ...servers, databaseUrl, concurrency });
    const before = await countOf(wecomUrl);
    const usedBefore = cpuMs(push.pid);
    const job: PushLoad = { ...push, connections: CONNECTIONS, messages };
    const accepted = await node<PushLoadResult>('load.ts', JSON.stringify(job));
    const from = { at: performance.now(), count: (await countOf(wecomUrl)) - before };
    const until = await drained(wecomUrl, before + messages);
    const cpu = ((cpuMs(push.pid) - usedBefore) * 1000) / messages;
    await push.stop();
    const deliveredRate = ((messages - from.count) * 1000) / (until - from.at);
    const acceptedRate = messages / accepted.seconds;
    const store = await node<{ seconds: number }>(
      'store.ts',
      await servers.newDatabase(),
      `${concurrency}`,
      `${messages}`,
    );
    const insert = await node<{ seconds: number }>(
      'bare-insert.ts',
      databaseUrl,
      `${INSERTERS}`,
      `${messages}`,
    );
    const storeRate = messages / store.seconds;
    const insertRate = messages / insert.seconds;
    ratios.push({ accepted: acceptedRate / insertRate, delivered: deliveredRate / storeRate });
    console.log(
      `round ${round}: accepted ${acceptedRate.toFixed(0)}/s (p50 ${accepted.p50.toFixed(1)} ms, p99 ${accepted.p99.toFixed(1)} ms, ` +
        `${accepted.cpu.toFixed(0)} µs CPU, ${accepted.bad} not 202), one INSERT each ${insertRate.toFixed(0)}/s; ` +
        `${cpu.toFixed(0)} µs CPU a message in all; delivered ${deliveredRate.toFixed(0)}/s, the queue alone ${storeRate.toFixed(0)}/s`,
    );
  }
  const median = (of: (ratio: (typeof ratios)[number]) => number) =>
    ratios
      .map(of)
      .sort((a, b) => a - b)
      [Math.floor(ratios.length / 2)]?.toFixed(2);
  console.log(
    `ratios (median): delivered ${median((r) => r.delivered)} of the queue alone, accepted ${median((r) => r.accepted)} of one INSERT each`,
  );
}

interface Servers {
  readonly wecomUrl: string;
  newDatabase(): Promise<string>;
}

async function startServers(directory: string, stops: PushBench['stops']): Promise<Servers> {
  const mariadb = await startMariadbServer({ directory: join(directory, 'mariadb'), port: await freePort() });
  stops.push(mariadb.stop);
  const port = await freePort();
  const wecomUrl = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${wecomUrl}/readyz`).then(
      () => true,
      () => false,
    );
  const wecom = await startProcess(process.execPath, [fileOf('wecom.ts'), `${port}`, `${WECOM_MS}`], isReady);
  stops.push(wecom.stop);
  let databases = 0;
  return {
    wecomUrl,
    async newDatabase() {
      databases += 1;
      const connection = await mysql.createConnection(mariadb.url);
      await connection.query(`CREATE DATABASE bench${databases}`);
      await connection.end();
      return new URL(`/bench${databases}`, mariadb.url).href;
    },
  };
}

interface PushSettings extends Omit<Servers, 'newDatabase'> {
  readonly databaseUrl: string;
  readonly concurrency: number;
}

/** One process of the role, and an app that may ask as often as it likes. */
async function startPush(directory: string, { wecomUrl, databaseUrl, concurrency }: PushSettings) {
  const [port, internalPort] = [await freePort(), await freePort()];
  const masterKey = randomBytes(33).toString('base64');
  const db = openDatabase(databaseUrl);
  await migrate(db);
  const keys = createKeys({ db, masterKey, now: Date.now });
  const { key } = await keys.create({
    app: 'bench',
    scopes: ['text', 'to:users'],
    perMinute: 1_000_000,
    callbackHosts: [],
  });
  await db.destroy();
  const env = {
    WECOM_CORP_ID: 'wwbench',
    WECOM_AGENT_ID: '1',
    WECOM_SECRET: 'bench',
    WECOM_API_URL: wecomUrl,
    PUSH_PORT: `${port}`,
    PUSH_INTERNAL_PORT: `${internalPort}`,
    PUSH_ALLOWED_SOURCES: '127.0.0.1',
    PUSH_MYSQL_URL: databaseUrl,
    PUSH_MASTER_KEY: masterKey,
    PUSH_ACCOUNT_LIMIT: '10000000',
    PUSH_ROBOTS: '{}',
    PUSH_CONCURRENCY: `${concurrency}`,
  };
  const { process: running, stop } = await startRole({ role: 'push', env, internalPort, directory });
  return { port, pid: running.pid as number, stop, app: 'bench', key };
}

/** What a process has used, user and system; the kernel counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function countOf(wecomUrl: string): Promise<number> {
  return ((await (await fetch(`${wecomUrl}/count`)).json()) as { taken: number }).taken;
}

/** Resolves to the time when the last message has arrived. */
async function drained(wecomUrl: string, count: number): Promise<number> {
  for (;;) {
    if ((await countOf(wecomUrl)) >= count) return performance.now();
    await sleep(50);
  }
}

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

async function node<T>(file: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileOf(file), ...args]);
  return JSON.parse(stdout) as T;
}
