import type { Socket } from 'node:net';
import { type BenchApp, percentile, prepareCallbacks } from './callbacks.ts';
import { cpuBeside, cpuMicroseconds, exchange, open } from './wire.ts';

/** What the load process is told, as JSON on its command line. */
export interface LoadJob {
  readonly port: number;
  /** The server's process: its CPU time is read when the counted messages begin and when they end. */
  readonly pid: number;
  readonly connections: number;
  readonly messages: number;
  readonly users: number;
  /** Lines that every user types first, uncounted, and those that go round after that. */
  readonly opening: readonly string[];
  readonly round: readonly string[];
  readonly app: BenchApp;
}

/** What it prints: seconds for the counted messages, µs of the server's CPU for each and of the
 * processes beside it, latencies in ms, answers that were not 200. */
export interface LoadResult {
  readonly seconds: number;
  readonly cpu: number;
  readonly beside: number;
  readonly p50: number;
  readonly p99: number;
  readonly bad: number;
}

/** WeCom's messages prepared before the clock starts, sent over keep-alive connections, one at a time on each. */
async function run(job: LoadJob): Promise<LoadResult> {
  const { app, connections, users } = job;
  const prepare = prepareCallbacks(app);
  const request = (user: number, line: string): Buffer => prepare(`bench${user}`, line);

  const sockets = await Promise.all(Array.from({ length: connections }, () => open(job.port)));
  const perConnection = Math.ceil(job.messages / connections);
  const usersOf = (index: number) =>
    Array.from({ length: Math.ceil(users / connections) }, (_, i) => index + i * connections);
  const latencies: number[] = [];
  let bad = 0;
  const send = async (socket: Socket, bytes: Buffer, counted: boolean): Promise<void> => {
    const started = performance.now();
    const status = await exchange(socket, bytes);
    if (status !== 200) bad += 1;
    if (counted) latencies.push(performance.now() - started);
  };
  await Promise.all(
    sockets.map(async (socket, index) => {
      for (const user of usersOf(index)) {
        for (const line of job.opening) await send(socket, request(user, line), false);
      }
    }),
  );
  const prepared = sockets.map((_, index) => {
    const own = usersOf(index);
    return Array.from({ length: perConnection }, (_, i) => {
      const turn = Math.floor(i / own.length);
      return request(own[i % own.length] as number, job.round[turn % job.round.length] as string);
    });
  });
  const cpuBefore = cpuMicroseconds(job.pid);
  const besideBefore = cpuBeside(job.pid);
  const started = performance.now();
  await Promise.all(
    sockets.map(async (socket, index) => {
      for (const bytes of prepared[index] ?? []) await send(socket, bytes, true);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const cpu = (cpuMicroseconds(job.pid) - cpuBefore) / (perConnection * connections);
  const beside = (cpuBeside(job.pid) - besideBefore) / (perConnection * connections);
  for (const socket of sockets) socket.destroy();
  const at = (share: number) => percentile(latencies, share);
  return { seconds, cpu, beside, p50: at(0.5), p99: at(0.99), bad };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] as string) as LoadJob)));
