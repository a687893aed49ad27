import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadCredentials } from '../../demo/credentials.ts';
import { freePort, type PrivateProcess, startProcess } from '../../demo/servers/private-process.ts';
import { startRedisServer } from '../../demo/servers/redis-server.ts';
import { startRole } from '../../demo/servers/role-process.ts';
import { botSettings } from '../../demo/settings.ts';
import { startWeCom } from '../../demo/wecom/start.ts';
import { benchEntries } from './entries.ts';
import type { FloodJob, FloodResult } from './flood.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { writeMenus } from './menus.ts';
import { startPlatform } from './platform.ts';
import { benchPush, type PushBench } from './push/bench.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    nodes: { type: 'string', default: '100' },
    /** Instead of comparing: so many messages through one bot, its memory on the way. */
    soak: { type: 'string' },
    /** Instead of comparing: so many messages of one person at one moment, and what others feel of it. */
    flood: { type: 'string' },
    /** Instead of comparing: so many calls of functions of entries, in their process. */
    entries: { type: 'string' },
    /** `bot` or `push`; without it both are measured. */
    only: { type: 'string' },
    /** How many messages of one lane message delivery sends at the same time. */
    concurrency: { type: 'string', default: '50' },
    /** How many processes of message delivery there are, and how many messages are due before the first comes. */
    replicas: { type: 'string', default: '1' },
    backlog: { type: 'string', default: '0' },
    /** For how many seconds message delivery is watched doing nothing. */
    idle: { type: 'string', default: '10' },
  },
});

/** One measurement; 10⁶ / `cpu` is what one core can do. */
interface Figures extends LoadResult {
  readonly rps: number;
}

const directory = mkdtempSync(join(tmpdir(), 'keypad-bench-'));
const stops: (() => Promise<unknown>)[] = [];
try {
  if (values.entries !== undefined) await entries(Number(values.entries));
  else if (values.only !== 'push') await bench();
  if (
    values.only !== 'bot' &&
    values.entries === undefined &&
    values.soak === undefined &&
    values.flood === undefined
  ) {
    const names = ['messages', 'rounds', 'concurrency', 'replicas', 'backlog', 'idle'] as const;
    const numbers = Object.fromEntries(names.map((name) => [name, Number(values[name])]));
    await benchPush({ directory, stops, ...numbers } as PushBench);
  }
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

async function entries(calls: number): Promise<void> {
  const folder = writeMenus(Number(values.nodes));
  stops.push(async () => rmSync(folder, { recursive: true }));
  await benchEntries(folder, calls);
}

async function bench(): Promise<void> {
  const bot = await startBot(Number(values.nodes));
  if (values.flood !== undefined) return flood(bot, Number(values.flood));
  const floor = await startFloor(bot.redisUrl);
  const job: Omit<LoadJob, 'pid'> = {
    port: bot.port,
    connections: Number(values.connections),
    messages: Number(values.messages),
    users: 256,
    opening: ['#', 'hi', '1'],
    round: ['1', '0'],
    app: bot.app,
  };
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, node ${process.version}, ${values.nodes} menu entries`,
  );
  if (values.soak !== undefined) return soak(bot.process, job, Number(values.soak));
  await measure(bot.process, { ...job, messages: 5000 });
  await measure(floor.process, { ...job, port: floor.port, messages: 5000 });
  const ratios: { rps: number; cpu: number }[] = [];
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const ours = await measure(bot.process, job);
    const bare = await measure(floor.process, { ...job, port: floor.port });
    print(`bot   ${round}`, ours);
    print(`floor ${round}`, bare);
    ratios.push({ rps: ours.rps / bare.rps, cpu: bare.cpu / ours.cpu });
  }
  const median = (of: (ratio: { rps: number; cpu: number }) => number) =>
    ratios
      .map(of)
      .sort((a, b) => a - b)
      [Math.floor(ratios.length / 2)]?.toFixed(2);
  console.log(
    `ratio to the floor (median): ${median((r) => r.cpu)} by CPU a message, ${median((r) => r.rps)} by requests/s`,
  );
}

async function flood({ port, app }: Pick<FloodJob, 'port' | 'app'>, messages: number): Promise<void> {
  const file = new URL('flood.ts', import.meta.url).pathname;
  const job: FloodJob = { port, app, messages };
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(job)]);
  const { floodMs, ...times } = JSON.parse(stdout) as FloodResult;
  console.log(`${messages} messages of one person, answered in ${floodMs.toFixed(0)} ms; the others:`);
  for (const [time, figures] of Object.entries(times)) {
    const [p50, p99, longest] = figures.map((ms) => ms.toFixed(0));
    console.log(`  ${time}: p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms`);
  }
}

async function soak(bot: PrivateProcess, job: Omit<LoadJob, 'pid'>, total: number): Promise<void> {
  for (let sent = 0; sent < total; sent += job.messages) {
    const figures = await measure(bot, job);
    print(`${sent + job.messages} messages, ${residentMiB(bot)} MiB resident`, figures);
  }
}

function print(name: string, { rps, p50, p99, cpu, beside, bad }: Figures): void {
  const parts = [
    `${rps.toFixed(0)} requests/s`,
    `p50 ${p50.toFixed(1)} ms`,
    `p99 ${p99.toFixed(1)} ms`,
    `${cpu.toFixed(0)} µs CPU`,
    ...(beside > 0 ? [`${beside.toFixed(0)} µs beside`] : []),
  ];
  console.log(`${name}: ${parts.join(', ')}${bad > 0 ? `, ${bad} ANSWERS WERE NOT 200` : ''}`);
}

async function measure({ process: { pid } }: PrivateProcess, job: Omit<LoadJob, 'pid'>): Promise<Figures> {
  const file = new URL('load.ts', import.meta.url).pathname;
  const load = await promisify(execFile)(process.execPath, [file, JSON.stringify({ ...job, pid })]);
  const result = JSON.parse(load.stdout) as LoadResult;
  return { ...result, rps: job.messages / result.seconds };
}

async function startBot(nodes: number) {
  const credentials = await loadCredentials(directory);
  const [bot, ops, phone, redisPort, botInternal] = await Promise.all(Array.from({ length: 5 }, freePort));
  const redis = await startRedisServer({ directory: join(directory, 'redis'), port: redisPort as number });
  stops.push(redis.stop);
  const wecom = await startWeCom({ ...credentials, port: phone as number });
  stops.push(wecom.stop, await startPlatform(ops as number));
  const menusDir = writeMenus(nodes);
  stops.push(async () => rmSync(menusDir, { recursive: true }));
  // Nothing is told later here, so that message delivery may be missing.
  const ports = { bot, ops, phone, botInternal, push: ops } as never;
  const apps = { bot: { app: 'keypad-bot', key: 'x'.repeat(43) } } as never;
  const env = botSettings({ credentials, ports, redisUrl: redis.url, menusDir, apps });
  const running = await startRole({ role: 'bot', env, internalPort: botInternal as number, directory });
  stops.push(running.stop);
  return { process: running, port: bot as number, redisUrl: redis.url, app: credentials };
}

async function startFloor(redisUrl: string) {
  const port = await freePort();
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      () => true,
      () => false,
    );
  const file = new URL('floor.ts', import.meta.url).pathname;
  const running = await startProcess(process.execPath, [file, `${port}`, redisUrl], isReady);
  stops.push(running.stop);
  return { process: running, port };
}

function residentMiB({ process: { pid } }: PrivateProcess): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * 4096) / 2 ** 20);
}
