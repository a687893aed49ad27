import { randomUUID } from 'node:crypto';
import { signRequest } from '../../../src/push/apps/signature.ts';
import { cpuMicroseconds, exchange, open } from '../wire.ts';

/** What the load process is told, as JSON on its command line. */
export interface PushLoad {
  readonly port: number;
  readonly pid: number;
  readonly connections: number;
  readonly messages: number;
  readonly app: string;
  readonly key: string;
}

/** What it prints: seconds for all, µs of the server's CPU for each, latencies in ms, answers that were not 202. */
export interface PushLoadResult {
  readonly seconds: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly bad: number;
}

/** Signed pushes prepared before the clock starts, one receiver each, one at a time on each connection. */
async function run({ port, pid, connections, messages, app, key }: PushLoad): Promise<PushLoadResult> {
  const request = (index: number): Buffer => {
    const body = JSON.stringify({ to: { users: [`bench${index}`] }, text: `bench ${index}` });
    const unsigned = { method: 'POST', target: '/v1/messages', body, now: Date.now(), nonce: randomUUID() };
    const signed = Object.entries(signRequest({ app, key }, unsigned)).map(
      ([n, value]) => `${n}: ${value}\r\n`,
    );
    return Buffer.from(
      `POST /v1/messages HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n${signed.join('')}` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };
  const requests = Array.from({ length: messages }, (_, index) => request(index));
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const latencies: number[] = [];
  let bad = 0;
  let next = 0;
  const cpuBefore = cpuMicroseconds(pid);
  const started = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      for (let bytes = requests[next++]; bytes !== undefined; bytes = requests[next++]) {
        const sent = performance.now();
        if ((await exchange(socket, bytes)) !== 202) bad += 1;
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const cpu = (cpuMicroseconds(pid) - cpuBefore) / messages;
  for (const socket of sockets) socket.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { seconds, cpu, p50: at(0.5), p99: at(0.99), bad };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] as string) as PushLoad)));
