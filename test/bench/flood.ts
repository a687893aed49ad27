import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchApp, percentile, prepareCallbacks } from './callbacks.ts';
import { exchange, open } from './wire.ts';

/** What the process is told, as JSON on its command line. */
export interface FloodJob {
  readonly port: number;
  readonly app: BenchApp;
  /** So many messages of one person at one moment. */
  readonly messages: number;
}

/** What it prints: P50, P99 and longest of the others, in ms, and how long the flood took. */
export interface FloodResult {
  readonly before: readonly number[];
  readonly during: readonly number[];
  readonly after: readonly number[];
  readonly floodMs: number;
}

const OTHERS = 50;
const EACH_MS = 100;
const ROUNDS = 20;
const CONNECTIONS = 500;

/** Fifty others send a message each 100 ms, for 2 s: before the flood, from its first message on, and 2 s after its last answer. */
async function run({ port, app, messages }: FloodJob): Promise<FloodResult> {
  const request = prepareCallbacks(app);
  const others = await Promise.all(Array.from({ length: OTHERS }, () => open(port)));
  const figures = async (): Promise<readonly number[]> => {
    const latencies: number[] = [];
    const speak = async (socket: (typeof others)[number], index: number) => {
      await sleep((index * EACH_MS) / OTHERS);
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = performance.now();
        await exchange(socket, request(`bench${index}`, round % 2 === 0 ? '1' : '0'));
        const took = performance.now() - started;
        latencies.push(took);
        await sleep(Math.max(0, EACH_MS - took));
      }
    };
    await Promise.all(others.map(speak));
    return [percentile(latencies, 0.5), percentile(latencies, 0.99), Math.max(...latencies)];
  };
  await figures();
  const before = await figures();
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const prepared = Array.from({ length: messages }, () => request('mallory', 'hi'));
  const started = performance.now();
  const flood = Promise.all(
    sockets.map(async (socket, index) => {
      for (let at = index; at < messages; at += CONNECTIONS) await exchange(socket, prepared[at] as Buffer);
    }),
  ).then(() => performance.now() - started);
  const during = await figures();
  const floodMs = await flood;
  await sleep(2000);
  const after = await figures();
  for (const socket of [...others, ...sockets]) socket.destroy();
  return { before, during, after, floodMs };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] as string) as FloodJob)));
