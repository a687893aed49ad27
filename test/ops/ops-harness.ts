import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { Changes, Reads } from '#menu';
import { type RunningCluster, startCluster } from '../../demo/cluster/cluster.ts';
import { demoSeed } from '../../demo/cluster/seed.ts';
import { createSecret } from '../../src/config.ts';
import { type Answer, answer } from '../../src/contract/answer.ts';
import { makeKeyPair, readSigningKey, readVerifyingKeys } from '../../src/contract/keys.ts';
import type { AcknowledgeName, InputOf, OutputOf } from '../../src/contract/platform.ts';
import { signToken } from '../../src/contract/token.ts';
import { createOps, type Ops } from '../../src/ops/app.ts';
import { type Clock, systemClock } from '../../src/ops/clock.ts';
import type { Database } from '../../src/ops/database.ts';
import { createRecords, type Forgery, type SealedOperation } from '../../src/ops/records.ts';
import { createLog, type Log } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { createDatabase } from '../helpers/database.ts';
import { type HandedIn, type ScriptedPush, startPush } from '../helpers/push.ts';

const { signingKey, verifyingKeys } = await makeKeyPair();

export { verifyingKeys };

const key = readSigningKey(signingKey);
export const AUDIT_KEY = 'the audit key of the tests, long enough';
/** Of the caches that `operations/app` calls. */
export const CACHE_TOKEN = 'the-token-of-the-caches';

/** Whom the programs of operations run as: root runs none itself. */
export const COMMAND_USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

/** The tables as a platform with the key of the tests has them. */
export const recordsOf = (db: Database, onForgery: (found: Forgery) => void = () => {}) =>
  createRecords(db, AUDIT_KEY, onForgery);

/** The machine's clock, moved on by hand. */
export interface MovableClock extends Clock {
  /** Moves it on by milliseconds. */
  pass(milliseconds: number): void;
}

export function movableClock(): MovableClock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    wait: systemClock.wait,
    pass(milliseconds) {
      ahead += milliseconds;
    },
  };
}

/** What one user says to one replica. */
export interface Client {
  /** Posts to the path after `/v1/operations/`, and answers what the contract allows as an answer. */
  post(path: string, body: unknown): Promise<Answer>;
  read<N extends keyof Reads>(name: N, input: Reads[N]['input']): Promise<Reads[N]['output']>;
  acknowledge<N extends AcknowledgeName>(name: N, input: InputOf<N>): Promise<OutputOf<N>>;
  preview<N extends keyof Changes>(name: N, input: Changes[N]['input']): Promise<PreviewAnswer>;
  run<N extends keyof Changes>(
    name: N,
    input: Changes[N]['input'],
    preview: Shown,
    code?: string,
  ): Promise<Answer>;
  /** Previews and confirms with the code that was shown. */
  change<N extends keyof Changes>(name: N, input: Changes[N]['input']): Promise<Answer>;
}

export type PreviewAnswer = Extract<Answer, { state: 'preview' }>['preview'];
export type Shown = Pick<PreviewAnswer, 'id' | 'hash' | 'code'>;

export interface Replica extends Ops {
  as(user: string, departments?: readonly number[]): Client;
  /** The metrics as they are scraped. */
  metrics(): Promise<string>;
  /** What it has logged, from the level `info` on. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
}

/** What replicas of the ops platform share: one database, one cluster, one policy file, one clock, one message delivery. */
export interface OpsHarness {
  readonly cluster: RunningCluster;
  readonly clock: MovableClock;
  readonly push: ScriptedPush;
  readonly policyFile: string;
  readonly directory: string;
  readonly mysqlUrl: string;
  /** The server that both demo instances stand for; a connection of one's own. */
  readonly serverUrl: string;
  startReplica(changes?: Partial<Parameters<typeof createOps>[0]['config']>, log?: Log): Promise<Replica>;
  /** Waits until the outcome of an operation is handed to message delivery. */
  told(id: string): Promise<HandedIn>;
  /** Runs SQL on the platform's database. */
  sql(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /**
   * Leaves a previewed operation as a replica leaves it that dies right after having confirmed it, or after the effect:
   * its lease ends in so many ms.
   */
  abandon(id: string, state?: 'started' | 'applied', leaseMs?: number): Promise<void>;
  /** Gives an operation that a test has changed by hand the MAC of the platform, as if that had written it. */
  reseal(id: string): Promise<void>;
  stop(): Promise<void>;
}

/** Opens one without replicas. `tick` is the cluster's; the policy is the demo's unless one is given. */
export async function openOpsHarness(options: { tick?: number; policy?: string } = {}): Promise<OpsHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-ops-'));
  const database = await createDatabase();
  const cluster = await startCluster({
    port: 0,
    token: randomUUID(),
    seed: demoSeed,
    tick: options.tick ?? 5,
  });
  const clock = movableClock();
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const policyFile = options.policy === undefined ? 'deploy/policy.yaml' : join(directory, 'policy.yaml');
  if (options.policy !== undefined) writeFileSync(policyFile, options.policy);
  const push = await startPush();
  const connection = await mysql.createConnection(database.url);
  const replicas: Replica[] = [];
  const reseal = async (id: string): Promise<void> => {
    const [rows] = await connection.query('select * from operations where id = ?', [id]);
    const [row] = rows as SealedOperation[];
    if (row === undefined) throw new Error(`no operation ${id}`);
    const mac = recordsOf(null as never).operationMac(row);
    await connection.query('update operations set mac = ? where id = ?', [mac, id]);
  };
  return {
    cluster,
    clock,
    push,
    policyFile,
    directory,
    mysqlUrl: database.url,
    serverUrl: database.serverUrl,
    async startReplica(changes, given) {
      const config = {
        allowedSources: ['127.0.0.1'],
        trustedProxies: [],
        verifyingKeys: readVerifyingKeys(verifyingKeys),
        policyFile,
        operationsDir: 'operations',
        commandUser: COMMAND_USER,
        mysqlUrl: createSecret(database.url),
        kubeconfig,
        pluginEnvironment: createSecret({ PATH: process.env.PATH, CACHE_TOKEN }),
        mysqlTargets: createSecret({ 'shop-db': database.serverUrl, 'pay-db': database.serverUrl }),
        auditKey: createSecret(AUDIT_KEY),
        adoptsRows: false,
        pushUrl: push.url,
        pushAppId: push.app,
        pushAppKey: createSecret(push.key),
        ...changes,
      };
      const logged: Record<string, unknown>[] = [];
      const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>);
      const log = given ?? createLog({ level: 'info', destination: { write } });
      const registry = createRegistry();
      const ops = await createOps({ config, log, registry, clock });
      const replica = {
        ...ops,
        metrics: () => registry.metrics(),
        logged,
        as: (user: string, departments?: readonly number[]) => client(ops, clock, user, departments),
      };
      replicas.push(replica);
      return replica;
    },
    told: (id) =>
      until(async () => push.attempts.find(({ idempotencyKey }) => idempotencyKey === `outcome-${id}`)),
    async sql(statement, values) {
      const [rows] = await connection.query(statement, values);
      return rows as Record<string, unknown>[];
    },
    reseal,
    async abandon(id, state = 'started', leaseMs = 15_000) {
      const now = clock.now();
      await connection.query(
        'update operations set state = ?, started_at = ?, lease_owner = ?, lease_until = ? where id = ?',
        [state, now, randomUUID(), now + leaseMs, id],
      );
      await reseal(id);
    },
    async stop() {
      await Promise.all(replicas.map((replica) => replica.close()));
      await connection.end();
      await cluster.stop();
      await push.stop();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A request with a good token, for what a test then spoils. */
export async function signedRequest(
  path: string,
  body: unknown,
  {
    user = 'zhangsan',
    now = Date.now(),
    departments,
  }: { user?: string; now?: number; departments?: readonly number[] | undefined } = {},
) {
  const payload = JSON.stringify(body);
  const request = { subject: user, operation: path, body: payload, id: randomUUID(), now, departments };
  const token = await signToken(key, request);
  return {
    method: 'POST' as const,
    url: `/v1/operations/${path}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload,
  };
}

/** A report of the bot, with a good token; `subject` makes it one that speaks for a user. */
export async function signedReport(body: unknown, { now, subject }: { now: number; subject?: string }) {
  const payload = JSON.stringify(body);
  const token = await signToken(key, {
    ...(subject !== undefined && { subject }),
    operation: 'reports',
    body: payload,
    id: randomUUID(),
    now,
  });
  return {
    method: 'POST' as const,
    url: '/v1/reports',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload,
  };
}

function client(ops: Ops, clock: Clock, user: string, departments?: readonly number[]): Client {
  const post: Client['post'] = async (path, body) => {
    const response = await ops.app.inject(
      await signedRequest(path, body, { user, departments, now: clock.now() }),
    );
    return answer.parse(response.json());
  };
  const preview: Client['preview'] = async (name, input) => {
    const answered = await post(`${name}/preview`, input);
    if (answered.state !== 'preview') throw new Error(JSON.stringify(answered));
    return answered.preview;
  };
  const run: Client['run'] = (name, input, { id, hash }, code) =>
    post(name, { input, preview: { id, hash }, ...(code !== undefined && { code }) });
  const ask = async (name: string, input: unknown) => {
    const answered = await post(name, input);
    if (answered.state !== 'done') throw new Error(JSON.stringify(answered));
    return answered.output as never;
  };
  return {
    post,
    preview,
    run,
    read: ask,
    acknowledge: ask,
    async change(name, input) {
      const shown = await preview(name, input);
      return run(name, input, shown, shown.code);
    },
  };
}

/**
 * Repeats a look until it answers something, with rests that leave the processor to what it looks at. The time of the test is
 * its limit; it only does not go on for ever behind a test that has ended.
 */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await sleep(5);
  }
  throw new Error('waited two minutes for nothing');
}
