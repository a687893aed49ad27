import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';

/** The databases of a demo: Keypad's own two, and the two that the example policy calls shop-db and pay-db. */
export interface DemoDatabases {
  readonly keypadUrl: string;
  readonly pushUrl: string;
  /** For OPS_MYSQL_TARGETS. */
  readonly targets: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** How long a slow query sleeps, and the pause before the next one comes after somebody killed it. */
const SLOW_SECONDS = 3600;
const PAUSE_MS = 15_000;

/**
 * Makes the databases on a private MariaDB if they are not there, and keeps one slow query running in each target, so
 * that there is something to see and to kill. Both targets are the same server: its accounts see their own queries only.
 */
export async function openDatabases(serverUrl: string, password: string): Promise<DemoDatabases> {
  const admin = await mysql.createConnection(serverUrl);
  for (const name of ['keypad', 'keypad_push', 'shop', 'pay']) {
    await admin.query(`CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4`);
    await admin.query(`CREATE USER IF NOT EXISTS '${name}'@'127.0.0.1' IDENTIFIED BY '${password}'`);
    await admin.query(`GRANT ALL ON ${name}.* TO '${name}'@'127.0.0.1'`);
  }
  for (const name of ['shop', 'pay']) await fillOrders(admin, name);
  await admin.end();
  const urlOf = (name: string): string => {
    const url = new URL(`/${name}`, serverUrl);
    url.username = name;
    url.password = password;
    return url.href;
  };
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const reports = [
    keepRunning(
      urlOf('shop'),
      `SELECT /* 商品月报 */ COUNT(*), SLEEP(${SLOW_SECONDS}) FROM information_schema.TABLES LIMIT 1`,
    ),
    keepRunning(
      urlOf('pay'),
      `SELECT /* 对账 */ SUM(1), SLEEP(${SLOW_SECONDS}) FROM information_schema.COLUMNS LIMIT 1`,
    ),
  ];
  async function keepRunning(url: string, sql: string): Promise<void> {
    while (!stopping.signal.aborted) {
      const connection = await mysql.createConnection(url).catch(() => undefined);
      // The query is there to be killed, so its error is expected. After `destroy`, or when the server goes, the query may never settle.
      if (!stopping.signal.aborted) await Promise.race([connection?.query(sql).catch(() => {}), stopped]);
      connection?.destroy();
      await sleep(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
  return {
    keypadUrl: urlOf('keypad'),
    pushUrl: urlOf('keypad_push'),
    targets: { 'shop-db': urlOf('shop'), 'pay-db': urlOf('pay') },
    stop: async () => {
      stopping.abort();
      await Promise.all(reports);
    },
  };
}

/** Orders of the last month, for a report to count; the same in each demo. */
async function fillOrders(admin: mysql.Connection, database: string): Promise<void> {
  const [made] = await admin.query(
    `SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = 'orders'`,
  );
  if ((made as unknown[]).length > 0) return;
  const orders = Array.from({ length: 200 }, (_, index) => {
    const state = ['paid', 'paid', 'paid', 'waiting', 'refunded'][index % 5];
    return [state, 1990 + ((index * 731) % 40_000), index % 30];
  });
  await admin.query(`CREATE TABLE ${database}.orders (state VARCHAR(16), cents INT, days_ago INT)`);
  await admin.query(`INSERT INTO ${database}.orders (state, cents, days_ago) VALUES ?`, [orders]);
}
