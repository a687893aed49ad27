import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { freePort } from '../../../src/demo/private-process.ts';
import { type RedisServer, startRedisServer } from '../../../src/demo/redis-server.ts';
import { flush, openOffice, scriptedWeCom, textTo } from './office.ts';

const MESSAGES = 10_000;
const RECEIVERS = 500;
const CALLERS = 20;
const KILLS = 4;
const BETWEEN_KILLS_MS = 5000;

let database: Awaited<ReturnType<typeof openPushDatabase>>;
let redis: RedisServer;
const directory = mkdtempSync(join(tmpdir(), 'keypad-chaos-'));
const children: ChildProcess[] = [];

/** Who was sent what. */
const arrived: { user: string; text: string }[] = [];
const weCom = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    arrived.push(JSON.parse(Buffer.concat(chunks).toString()));
    const msgid = `m${arrived.length}`;
    setTimeout(() => response.end(msgid), 20);
  });
});

beforeAll(async () => {
  weCom.listen(0, '127.0.0.1');
  await once(weCom, 'listening');
  database = await openPushDatabase();
  redis = await startRedisServer({ directory, port: await freePort() });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  weCom.closeAllConnections();
  weCom.close();
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
  await database.drop();
});

function startWorker(): ChildProcess {
  const { port } = weCom.address() as AddressInfo;
  const file = new URL('worker-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, database.url, redis.url, `http://127.0.0.1:${port}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  return child;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('10,000 pushes, workers killed every 5 s, Redis flushed and restarted: all arrive, in order, repeats flagged', async () => {
  const office = openOffice({
    mysqlUrl: database.url,
    redisUrl: redis.url,
    messenger: scriptedWeCom().messenger,
  });
  const running = [startWorker(), startWorker()];
  /** What was claimed, and not noted as sent, when a worker was killed; the other worker's is in it as well. */
  const inFlight = new Set<number>();
  const kill = async (index: number): Promise<void> => {
    const child = running[index];
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    const left = await database.db.selectFrom('deliveries').select('id').where('busy', '>', '').execute();
    for (const { id } of left) inFlight.add(id);
    running[index] = startWorker();
  };
  const trouble = async (): Promise<void> => {
    for (let i = 0; i < KILLS; i += 1) {
      await pause(BETWEEN_KILLS_MS);
      await kill(i % 2);
      if (i === 0) await flush(redis.url);
      if (i === 1) {
        await redis.stop();
        redis = await startRedisServer({ directory, port: Number(new URL(redis.url).port) });
      }
    }
  };
  const hand = async (): Promise<void> => {
    await Promise.all(
      Array.from({ length: CALLERS }, async (_, caller) => {
        for (let i = caller; i < MESSAGES; i += CALLERS)
          await office.accept(textTo(`u${i % RECEIVERS}`, `${i}`));
      }),
    );
  };
  await Promise.all([trouble(), hand()]);
  const open = async () => {
    const { count } = await database.db
      .selectFrom('messages')
      .select((is) => is.fn.countAll<number>().as('count'))
      .where('open', '>', 0)
      .executeTakeFirstOrThrow();
    return Number(count);
  };
  await expect.poll(open, { timeout: 90_000, interval: 500 }).toBe(0);

  const rows = await database.db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.id', 'deliveries.message_id')
    .select(['deliveries.id', 'receiver', 'content', 'state', 'maybe_twice'])
    .orderBy('deliveries.id')
    .execute();
  expect(rows).toHaveLength(MESSAGES);
  expect(rows.filter(({ state }) => state !== 'sent')).toEqual([]);
  const times = Map.groupBy(arrived, ({ text }) => text);
  expect(times.size).toBe(MESSAGES);
  const flagged = new Set(rows.filter((row) => row.maybe_twice).map((row) => textOf(row)));
  const repeated = [...times].filter(([, each]) => each.length > 1).map(([text]) => text);
  expect(repeated.filter((text) => !flagged.has(text))).toEqual([]);
  // Only what was in flight at a kill, and once for each.
  const killed = new Set(rows.filter(({ id }) => inFlight.has(id)).map(textOf));
  expect(repeated.filter((text) => !killed.has(text))).toEqual([]);
  expect(arrived.length - MESSAGES).toBeLessThanOrEqual(inFlight.size);
  // A repeat comes before what follows it: each receiver's first arrivals and last arrivals are in the order of the rows.
  for (const [receiver, mine] of Map.groupBy(rows, (row) => row.receiver)) {
    const texts = arrived.filter(({ user }) => `user:${user}` === receiver).map(({ text }) => text);
    const once = texts.filter((text, i) => text !== texts[i - 1]);
    expect(once).toEqual(mine.map(textOf));
  }
  await office.close();
}, 150_000);

function textOf({ content }: { readonly content: string }): string {
  return JSON.parse(content).text;
}
