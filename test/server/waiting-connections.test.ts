import { afterEach, expect, test } from 'vitest';
import { openRaw, type RawConnection } from '#test/raw-http.ts';
import { createHttpServer } from '../../src/server/http-server.ts';
import { createLog } from '../../src/server/log.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server on which so many may wait; what it is asked for is answered when the test says so. */
async function start(mostWaiting?: number) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
  const released = Promise.withResolvers<void>();
  const app = createHttpServer({
    log,
    trustedProxies: [],
    requestTimeout: 60_000,
    ...(mostWaiting !== undefined && { mostWaiting }),
    serves: 'POST /',
    refuse: (_as, _request, reply) => reply.send(),
  });
  app.post('/', async () => 'taken');
  app.post('/held', () => released.promise.then(() => 'taken late'));
  closers.push(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const open = async (said: string, from?: string): Promise<RawConnection> => {
    const connection = await openRaw(url, said, from);
    closers.push(connection.cut);
    return connection;
  };
  return { waiting: app.waiting, open, release: released.resolve, lines };
}

const WHOLE = 'POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx';
/** The beginning of a request, so many bytes of it. */
const begun = (bytes: number) => {
  const headers = 'POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\n';
  return headers + 'x'.repeat(bytes - headers.length);
};
const settled = (value: () => unknown, is: unknown) => expect.poll(value, { interval: 5 }).toEqual(is);

test('of requests that are not whole no more bytes are held than those of the connections that may wait', async () => {
  const { waiting, open } = await start(10);
  const all: RawConnection[] = [];
  for (let i = 0; i < 10; i += 1) all.push(await open(begun(800 + i)));
  await settled(waiting.bytes, 8045);
  for (let i = 10; i < 30; i += 1) all.push(await open(begun(800 + i)));
  // The last ten are left, with 820 to 829 bytes.
  await settled(waiting.bytes, 8245);
  expect(waiting.count()).toBe(10);
  expect(await Promise.all(all.slice(0, 20).map(({ closed }) => closed))).toEqual(Array(20).fill(''));
  for (const { cut } of all) cut();
  await settled(() => [waiting.count(), waiting.bytes()], [0, 0]);
});

test('unless a role says otherwise 1,000 may wait, with 16 KiB of headers and 64 KiB of body each', async () => {
  const { waiting, open } = await start();
  const head = 'POST / HTTP/1.1\r\nContent-Type: text/plain\r\n';
  const body = (bytes: number) => `${head}Content-Length: ${bytes}\r\n\r\n`;
  expect(await (await open(body(65_537))).closed).toMatch(/^HTTP\/1\.1 413 /);
  expect(await (await open(`${head}X-More: ${'x'.repeat(16_384)}\r\n`)).closed).toMatch(/^HTTP\/1\.1 431 /);
  const most = body(65_536) + 'x'.repeat(65_535);
  const full = await Promise.all(Array.from({ length: 20 }, () => open(most)));
  await settled(waiting.bytes, 20 * most.length);
  await Promise.all(Array.from({ length: 1000 }, () => open('')));
  await settled(() => [waiting.count(), waiting.bytes()], [1000, 0]);
  for (const { closed } of full) expect(await closed).toBe('');
});

test('behind the addresses of a flood, too, whoever sends a request is answered', async () => {
  const { waiting, open } = await start(10);
  for (let i = 0; i < 40; i += 1) {
    await open(begun(100 + i));
    if (i % 4 > 0) continue;
    const honest = await open(WHOLE);
    await honest.answered('taken');
    honest.cut();
  }
  await settled(waiting.count, 10);
});

test('who holds the most gives way: one address does not push out what another has begun', async () => {
  const { waiting, open } = await start(10);
  const slow = await open(WHOLE.slice(0, -1), '127.0.0.2');
  const flood: RawConnection[] = [];
  for (let i = 0; i < 30; i += 1) flood.push(await open('', '127.0.0.3'));
  await settled(waiting.count, 10);
  slow.say('x');
  await slow.answered('taken');
  for (const { closed } of flood.slice(0, 20)) expect(await closed).toBe('');
});

test('of as many as come at one moment those are answered that say what they want', async () => {
  const { waiting, open } = await start(10);
  const all = await Promise.all(Array.from({ length: 20 }, () => open(WHOLE)));
  await Promise.all(all.map(({ answered }) => answered('taken')));
  await settled(waiting.count, 10);
});

test('a request that is whole has nothing to fear, however long its answer takes', async () => {
  const { waiting, open, release } = await start(3);
  const asked = await open(WHOLE.replace('/ ', '/held '));
  await settled(waiting.count, 0);
  for (let i = 0; i < 9; i += 1) await open('');
  await settled(waiting.count, 3);
  release();
  await asked.answered('taken late');
});

test('a connection that is kept alive waits again from the end of its answer, with none of the bytes that were answered', async () => {
  const { waiting, open } = await start(2);
  const older = await open('');
  const kept = await open(WHOLE);
  await kept.answered('taken');
  await settled(() => [waiting.count(), waiting.bytes()], [2, 0]);
  kept.say(WHOLE.slice(0, 20));
  await settled(waiting.bytes, 20);
  await open('');
  expect(await older.closed).toBe('');
  await open('');
  expect(await kept.closed).toContain('taken');
});

test('the log says that connections gave way, and of which address', async () => {
  const { open, lines } = await start(1);
  const first = await open('', '127.0.0.4');
  await open('', '127.0.0.4');
  await first.closed;
  expect(lines.join('')).toMatch(/"source":"127\.0\.0\.4".*gave way; look who holds so many open.*"refused"/);
});
