import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCredentials } from '../../demo/credentials.ts';
import { openPushApps, type PushApp } from '../../demo/push-apps.ts';
import { DEMO_ROBOT } from '../../demo/settings.ts';
import { type RunningWeCom, startWeCom } from '../../demo/wecom/start.ts';
import type { WeComOptions } from '../../demo/wecom/wecom.ts';
import { type Database, openDatabase } from '../../src/push/database/database.ts';
import { createDatabase } from './database.ts';
import { type Replica, startReplica } from './push-replica.ts';

/** Replicas of message delivery over one database and one WeCom. */
export interface PushRole {
  readonly first: Replica;
  readonly second: Replica;
  /** All of them, in the order in which they were started. */
  readonly replicas: readonly Replica[];
  readonly wecom: RunningWeCom;
  readonly db: Database;
  readonly app: PushApp;
  /** What nobody may read. */
  readonly secrets: readonly string[];
  /** What the processes have logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface PushRoleOptions {
  readonly wecom?: Partial<WeComOptions>;
  readonly settings?: Readonly<Record<string, string>>;
  /** The URL of a database to use instead of a fresh one. */
  readonly mysqlUrl?: string;
  /** How many processes; two when left out, and no fewer. */
  readonly count?: number;
  /** Puts something between the replicas and WeCom, whose URL it gets; resolves to the URL that they call. */
  readonly between?: (weComUrl: string) => Promise<string>;
}

/** Starts replicas, with an app that may do everything and call `127.0.0.1` back. Further robots: see `wecom`. */
export async function startPushRole({
  wecom: how = {},
  settings = {},
  mysqlUrl,
  count = 2,
  between = async (url) => url,
}: PushRoleOptions = {}): Promise<PushRole> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-push-'));
  const stops = [async () => rmSync(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { ...(await start({ directory, how, settings, mysqlUrl, count, between, stops })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Started {
  readonly directory: string;
  readonly how: Partial<WeComOptions>;
  readonly settings: Readonly<Record<string, string>>;
  readonly mysqlUrl: string | undefined;
  readonly count: number;
  readonly between: (weComUrl: string) => Promise<string>;
  /** What was started is stopped in reverse order. */
  readonly stops: (() => Promise<void>)[];
}

async function start({
  directory,
  how,
  settings,
  mysqlUrl,
  count,
  between,
  stops,
}: Started): Promise<Omit<PushRole, 'stop'>> {
  const credentials = await loadCredentials(directory);
  const { corpId, agentId, secret, robotKey, masterKey } = credentials;
  const robots = how.robots ?? { [DEMO_ROBOT]: robotKey };
  const isOpen = { port: 0, members: 'anyone', callsPerMinute: 1e9 } as const;
  const wecom = await startWeCom({ ...credentials, ...isOpen, ...how, robots });
  stops.push(wecom.stop);
  const database = mysqlUrl === undefined ? await createDatabase() : { url: mysqlUrl, drop: async () => {} };
  stops.push(database.drop);
  const { client: app } = await openPushApps(database.url, masterKey);
  const db = openDatabase(database.url);
  stops.push(() => db.destroy());
  const env = {
    WECOM_CORP_ID: corpId,
    WECOM_AGENT_ID: `${agentId}`,
    WECOM_SECRET: secret,
    WECOM_API_URL: await between(wecom.url),
    PUSH_ALLOWED_SOURCES: '127.0.0.1',
    PUSH_MYSQL_URL: database.url,
    PUSH_MASTER_KEY: masterKey,
    PUSH_ACCOUNT_LIMIT: '10000000',
    PUSH_ROBOTS: JSON.stringify(robots),
    ...settings,
  };
  const startOne = async (number: number): Promise<Replica> => {
    const replica = await startReplica({ directory, env, app }, number);
    stops.push(async () => void (await replica.end()));
    return replica;
  };
  const [first, second] = [await startOne(1), await startOne(2)];
  const replicas = [first, second];
  for (let number = 3; number <= count; number += 1) replicas.push(await startOne(number));
  return {
    first,
    second,
    replicas,
    wecom,
    db,
    app,
    secrets: [secret, masterKey, app.key, ...Object.values(robots)],
    log: () =>
      replicas.map((_, index) => readFileSync(join(directory, `${index + 1}`, 'push.log'), 'utf8')).join(''),
  };
}
