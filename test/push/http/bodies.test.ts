import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openRaw, type RawConnection } from '#test/raw-http.ts';
import { signatureHeaders, signRequest } from '../../../src/push/apps/signature.ts';
import { createBodyRoom } from '../../../src/push/http/body-room.ts';
import { type Route, route } from '../../../src/push/http/route.ts';
import { type ApiHarness, openApiHarness } from './api-harness.ts';

/** What one app, or one address, may have in memory; two of them fill all. */
const EACH = 1000;
const room = createBodyRoom({ each: EACH, total: 2000 });
const keys: Record<string, string> = {};
let api: ApiHarness;
/** The same without patience. */
let hasty: ApiHarness;
const urls: Record<'api' | 'hasty', string> = { api: '', hasty: '' };

const taken = { accepts: { 'application/octet-stream': z.string() }, answers: { 200: z.object({}) } };
const routes = [
  route('POST /small', {
    ...taken,
    summary: 'Takes up to 2000 bytes.',
    bodyLimit: 2000,
    reply: async ({ raw }) => ({ length: (raw as Buffer).length, held: room.held() }),
  }),
  route('POST /streamed', {
    ...taken,
    summary: 'Takes any number of bytes, as they come.',
    reads: 'stream',
    bodyLimit: 10_000,
    reply: async ({ raw }) => ({ length: (await buffer(raw as Readable)).length, held: room.held() }),
  }),
];

beforeAll(async () => {
  api = await openApiHarness(() => routes, { realClock: true, room });
  hasty = await openApiHarness(() => routes, { realClock: true, room, bodyMs: 50, streamMs: 200 });
  for (const app of ['ci', 'other']) keys[app] = await api.newApp(app, ['text']);
  keys.hurried = await hasty.newApp('hurried', ['text']);
  const local = { host: '127.0.0.1', port: 0 };
  urls.api = await api.app.listen(local);
  urls.hasty = await hasty.app.listen(local);
});
afterAll(async () => {
  await api.stop();
  await hasty.stop();
});

/** A server ends when its connections do: a test that fails leaves none. */
const opened: RawConnection[] = [];
afterEach(() => {
  for (const connection of opened.splice(0)) connection.cut();
});

interface Begun {
  readonly target?: string;
  readonly app?: string;
  /** What is signed; the headers say its length. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a length. */
  readonly isChunked?: boolean;
  readonly from?: string;
}

/** Sends the headers of a request, and none of its body. */
async function begin(begun: Begun): Promise<RawConnection> {
  const { target = '/v1/small', app = 'ci', body, headers = {}, isChunked = false, from } = begun;
  const unsigned = { method: 'POST', target, body, now: Date.now(), nonce: randomUUID() };
  const all = {
    Host: 'push',
    'Content-Type': 'application/octet-stream',
    ...(isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': `${body.length}` }),
    ...signRequest({ app, key: keys[app] ?? '' }, unsigned),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const url = app === 'hurried' ? urls.hasty : urls.api;
  const connection = await openRaw(url, `POST ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, from);
  opened.push(connection);
  return connection;
}

/** Until so many bytes of bodies are in memory. */
const untilHeld = (bytes: number) => expect.poll(() => room.held(), { interval: 5 }).toBe(bytes);
const bytes = (length: number) => 'x'.repeat(length);
const chunk = (length: number) => `${length.toString(16)}\r\n${bytes(length)}\r\n`;

test('of a hundred bodies that nobody signed nothing is kept, and each connection is closed', async () => {
  const unsigned = { [signatureHeaders.signature]: 'f'.repeat(64) };
  const begun = Array.from({ length: 100 }, () => begin({ body: bytes(900), headers: unsigned }));
  for (const connection of await Promise.all(begun)) connection.say(bytes(10));
  const answers = await Promise.all(begun.map(async (each) => (await each).closed));
  expect(room.held()).toBe(0);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

test('the headers are enough for a refusal: no byte of the body has to come for it', async () => {
  const wrong = { [signatureHeaders.contentHash]: 'f'.repeat(64) };
  expect(await (await begin({ body: bytes(900), headers: wrong })).closed).toMatch(/^HTTP\/1\.1 401 /);
  expect(await (await begin({ body: bytes(2001) })).closed).toMatch(/^HTTP\/1\.1 413 /);
});

test('a body has its place from its length until its answer', async () => {
  const connection = await begin({ body: bytes(900) });
  await untilHeld(900);
  connection.say(bytes(900));
  await connection.answered('{"length":900,"held":900}');
  await untilHeld(0);
  connection.cut();
});

test('a slow body is answered 408, and its connection and its place are gone', async () => {
  const connection = await begin({ app: 'hurried', body: bytes(900) });
  connection.say(bytes(899));
  const said = await connection.closed;
  expect(said).toMatch(/^HTTP\/1\.1 408 /);
  expect(said).toContain('did not come within');
  expect(room.held()).toBe(0);
});

test('a streamed body takes no room, and is cut when its longer time is over', async () => {
  const connection = await begin({ app: 'hurried', target: '/v1/streamed', body: bytes(900) });
  connection.say(bytes(899));
  expect(await connection.closed).toMatch(/^HTTP\/1\.1 408 /);
  const whole = await begin({ target: '/v1/streamed', body: bytes(5000) });
  whole.say(bytes(5000));
  await whole.answered('{"length":5000,"held":0}');
  whole.cut();
});

test('a body that breaks off gives its place back, and is no fault of ours', async () => {
  const connection = await begin({ body: bytes(900) });
  await untilHeld(900);
  connection.say(bytes(10));
  connection.cut();
  await untilHeld(0);
  expect(api.log()).not.toContain('request failed');
});

test('what one app or one address has in memory is bounded, and so is all together', async () => {
  const first = await begin({ body: bytes(900) });
  await untilHeld(900);
  const sameApp = await begin({ body: bytes(200), from: '127.0.0.2' });
  const sameSource = await begin({ app: 'other', body: bytes(200) });
  for (const { closed } of [sameApp, sameSource]) {
    const said = await closed;
    expect(said).toMatch(/^HTTP\/1\.1 429 /);
    expect(said).toMatch(/retry-after: 1\r\n/i);
    expect(said).toContain('wait for the answers');
  }
  const second = await begin({ app: 'other', body: bytes(1000), from: '127.0.0.2' });
  await untilHeld(1900);
  first.say(bytes(900));
  await first.answered('"length":900');
  await untilHeld(1000);
  first.cut();
  second.cut();
  await untilHeld(0);
});

test('when all together is used up others are told to come back', async () => {
  const full = createBodyRoom({ each: EACH, total: EACH });
  const place = full.open('app a', 'source 1');
  place.reserve(800);
  expect(() => full.open('app b', 'source 2').reserve(201)).toThrow(expect.objectContaining({ status: 503 }));
  place.close();
  full.open('app b', 'source 2').reserve(201);
  expect(full.held()).toBe(201);
});

test('one app has 64 MiB of bodies at most, and all together have 256 MiB, by what their headers say', async () => {
  const MB = 1024 * 1024;
  const large = await openApiHarness(() => [{ ...(routes[0] as Route), bodyLimit: 32 * MB }], {
    realClock: true,
  });
  const url = await large.app.listen({ host: '127.0.0.1', port: 0 });
  const ask = async (app: string, from: string, length: number) => {
    const signed = { method: 'POST', target: '/v1/small', body: 'x', now: Date.now(), nonce: randomUUID() };
    const headers = signRequest({ app, key: keys[app] ?? '' }, signed);
    const lines = Object.entries({ ...headers, 'Content-Length': `${length}` }).map((line) =>
      line.join(': '),
    );
    const text = `POST /v1/small HTTP/1.1\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n${lines.join('\r\n')}\r\n\r\n`;
    const connection = await openRaw(url, length === 1 ? `${text}x` : text, from);
    opened.push(connection);
    return connection;
  };
  const apps = ['a', 'b', 'c', 'd', 'e'];
  for (const app of apps) keys[app] = await large.newApp(app, ['text']);
  for (const [at, app] of apps.slice(0, 4).entries()) {
    const from = `127.0.0.${at + 1}`;
    await ask(app, from, 32 * MB);
    await ask(app, from, 32 * MB);
    await expect
      .poll(async () => (await ask(app, '127.0.0.6', 1)).closed, { interval: 5 })
      .toContain('At most 67108864 bytes of bodies');
  }
  expect(await (await ask('e', '127.0.0.5', 1)).closed).toMatch(/^HTTP\/1\.1 503 /);
  for (const connection of opened.splice(0)) connection.cut();
  await large.stop();
});

test('what still comes in of a body that was answered takes no room that nobody would give back', () => {
  const all = createBodyRoom({ each: EACH, total: EACH });
  const place = all.open('app a', 'source 1');
  place.reserve(300);
  place.close();
  place.reserve(400);
  expect(all.held()).toBe(0);
});

test('a body that says no length takes room as it grows, and is cut where there is none', async () => {
  const connection = await begin({ body: bytes(1500), isChunked: true });
  connection.say(chunk(600));
  await untilHeld(600);
  connection.say(chunk(600));
  expect(await connection.closed).toMatch(/^HTTP\/1\.1 429 /);
  await untilHeld(0);
});

test('a body of the right length that is not the one that was signed reaches no route', async () => {
  const connection = await begin({ body: bytes(20) });
  connection.say('y'.repeat(20));
  await connection.answered('X-Keypad-Content-SHA256 names');
  connection.cut();
});
