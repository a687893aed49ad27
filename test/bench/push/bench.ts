import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cpuMicroseconds } from '../wire.ts';
import { measureLatency } from './latency.ts';
import type { PushLoad, PushLoadResult } from './load.ts';
import { type BenchDatabase, type BenchServers, startPush, startServers, WECOM_MS } from './servers.ts';

/** What is measured, and where its servers keep their files. */
export interface PushBench {
  readonly directory: string;
  readonly messages: number;
  readonly rounds: number;
  readonly concurrency: number;
  /** How many processes of the role there are. */
  readonly replicas: number;
  /** How many messages are due before the first is handed in. */
  readonly backlog: number;
  /** For how many seconds each round watches the processes do nothing. */
  readonly idle: number;
  /** Stops what was started, in reverse order. */
  readonly stops: (() => Promise<unknown>)[];
}

const CONNECTIONS = 64;
/** As many as the pool of message delivery has. */
const INSERTERS = 20;
/** How many single messages of each kind are timed. */
const LATENCIES = 100;

/** Measures acceptance and delivery in turns with their floors, and prints the figures and their ratios. */
export async function benchPush(bench: PushBench): Promise<void> {
  const { messages, rounds, concurrency, replicas, backlog } = bench;
  const servers = await startServers(bench.directory, bench.stops);
  console.log(
    `message delivery: ${messages} messages, concurrency ${concurrency}, replicas ${replicas}, backlog ${backlog}, ` +
      `WeCom answers in ${WECOM_MS} ms`,
  );
  const ratios: { readonly accepted: number; readonly delivered: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const database = await servers.prepare(backlog);
    const rates = await measureRole(bench, servers, { database, round });
    const { url } = await servers.prepare(0);
    const store = await node<{ seconds: number }>('store.ts', url, `${concurrency}`, `${messages}`);
    const insert = await node<{ seconds: number }>('bare-insert.ts', url, `${INSERTERS}`, `${messages}`);
    const [storeRate, insertRate] = [messages / store.seconds, messages / insert.seconds];
    console.log(`  the queue alone ${whole(storeRate)}/s, one INSERT each ${whole(insertRate)}/s`);
    ratios.push({ accepted: rates.accepted / insertRate, delivered: rates.delivered / storeRate });
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

/** One round: accept while sending, send what is left (or as many of the backlog), then single messages, then nothing. */
async function measureRole(
  { directory, messages, concurrency, replicas, backlog, idle }: PushBench,
  servers: BenchServers,
  { database, round }: { readonly database: BenchDatabase; readonly round: number },
) {
  const { wecomUrl, databaseCpu } = servers;
  const before = await countOf(wecomUrl);
  const pushes = await Promise.all(
    Array.from({ length: replicas }, (_, index) =>
      startPush(join(directory, `round-${round}-${index}`), servers, database, concurrency),
    ),
  );
  const usage = async () => ({
    at: performance.now(),
    sent: (await countOf(wecomUrl)) - before,
    role: pushes.reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0),
    database: databaseCpu(),
  });
  const begun = await usage();
  const share = Math.ceil(messages / replicas);
  const loads = await Promise.all(
    pushes.map(({ port, pid }) => {
      const connections = Math.ceil(CONNECTIONS / replicas);
      const job: PushLoad = { port, pid, connections, messages: share, ...database };
      return node<PushLoadResult>('load.ts', JSON.stringify(job));
    }),
  );
  const loaded = await usage();
  await arrived(wecomUrl, before + Math.min(share * replicas + backlog, loaded.sent + messages));
  const drained = await usage();
  const accepted = (share * replicas) / Math.max(...loads.map(({ seconds }) => seconds));
  const delivered = ((drained.sent - loaded.sent) * 1000) / (drained.at - loaded.at);
  const worst = (of: 'p50' | 'p99') => Math.max(...loads.map((load) => load[of])).toFixed(1);
  const cost = (from: typeof begun) => {
    const count = drained.sent - from.sent;
    return `${whole((drained.role - from.role) / count)} and ${whole((drained.database - from.database) / count)}`;
  };
  const bad = loads.reduce((sum, load) => sum + load.bad, 0);
  console.log(
    `round ${round}: accepted ${whole(accepted)}/s (p50 ${worst('p50')} ms, p99 ${worst('p99')} ms, ${bad} not 202), ` +
      `delivered ${whole(delivered)}/s; µs of CPU of the role and of MariaDB: ` +
      `accepted and delivered ${cost(begun)}, only delivered ${cost(loaded)}`,
  );
  const [first] = pushes;
  if (backlog === 0 && first !== undefined) {
    const job = { port: first.port, database, wecomUrl, messages: LATENCIES };
    for (const [what, { p50, p99 }] of await measureLatency(job))
      console.log(`  ${what}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms until WeCom has it`);
    const from = await usage();
    await sleep(idle * 1000);
    const to = await usage();
    const percent = (used: number) => (used / (to.at - from.at) / 10).toFixed(1);
    if (idle > 0)
      console.log(
        `  idle: ${percent((to.role - from.role) / replicas)} % of a core each, MariaDB ${percent(to.database - from.database)} %`,
      );
  }
  await Promise.all(pushes.map(({ stop }) => stop()));
  return { accepted, delivered };
}

const whole = (figure: number): string => figure.toFixed(0);

async function countOf(wecomUrl: string): Promise<number> {
  return ((await (await fetch(`${wecomUrl}/count`)).json()) as { taken: number }).taken;
}

/** Resolves when so many messages have arrived. */
async function arrived(wecomUrl: string, count: number): Promise<void> {
  while ((await countOf(wecomUrl)) < count) await sleep(50);
}

async function node<T>(file: string, ...args: readonly string[]): Promise<T> {
  const path = new URL(file, import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...args]);
  return JSON.parse(stdout) as T;
}
