import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { deriveKey, hashOf, signatureHeaders } from '../../../src/push/apps/signature.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { directoryRoutes } from '../../../src/push/directory/routes.ts';
import { openApiRoute } from '../../../src/push/http/openapi.ts';
import { type Route, route } from '../../../src/push/http/route.ts';
import { templateRoutes } from '../../../src/push/templates/routes.ts';
import type { Templates } from '../../../src/push/templates/template-store.ts';
import { openMessageRoutes } from '../messages/message-routes-harness.ts';
import { type ApiHarness, type ApiRequest, openApiHarness } from './api-harness.ts';

/** Reads all of its body before it does anything. */
const streamed = route('POST /campaigns/streamed', {
  summary: 'Streams.',
  reads: 'stream',
  accepts: { 'application/x-ndjson': z.string() },
  bodyLimit: 1000,
  answers: { 200: z.object({ length: z.int() }) },
  reply: async ({ raw }) => ({ length: (await buffer(raw as Readable)).length }),
});

/** Answers after the first bytes, while the rest is still coming. */
const hasty = route('POST /hasty', {
  summary: 'Streams.',
  reads: 'stream',
  answers: { 200: z.object({}) },
  async reply({ raw }) {
    for await (const _ of (raw as Readable).iterator({ destroyOnReturn: false })) break;
    return {};
  },
});

/** The table of the role as far as refusals go: nothing stands behind what must not be reached. */
function tableOf(parts: { db: Database; now: () => number }): readonly Route[] {
  const unreachable = new Proxy({}, { get: () => () => Promise.reject(new Error('reached')) });
  return [
    ...openMessageRoutes(parts).routes,
    ...directoryRoutes(unreachable as Parameters<typeof directoryRoutes>[0]),
    ...templateRoutes({ templates: unreachable as Templates }),
    streamed,
  ];
}
const table = tableOf({ db: undefined as unknown as Database, now: Date.now });
const routes = [...table, openApiRoute(table)];

let api: ApiHarness;
beforeAll(async () => {
  api = await openApiHarness((parts) => [...tableOf(parts), hasty]);
  await api.newApp('ci', ['text', 'templates', 'campaigns', 'directory']);
  await api.newApp('off', ['text', 'templates', 'campaigns', 'directory']);
  await api.keys.change('off', { enabled: false });
  await api.newApp('narrow', ['text']);
});
afterAll(() => api.stop());

/** A request that only what is wrong with it keeps from its route. */
function rightRequest({ method, path, reads }: Route): ApiRequest & { body: string } {
  const body = method === 'GET' || method === 'DELETE' ? '' : '{"text":"hello"}';
  return {
    method,
    path: `/v1${path.replace(/:\w+/g, 'abc')}`,
    body,
    ...(body !== '' && { contentType: reads === 'stream' ? 'application/x-ndjson' : 'application/json' }),
  };
}

const cases = routes.map((each) => [`${each.method} ${each.path}`, each] as const);

describe.each(cases)('%s refuses', (_name, each) => {
  const right = rightRequest(each);

  test('without any of the headers of a signature', async () => {
    const without = Object.fromEntries(Object.values(signatureHeaders).map((name) => [name, undefined]));
    expect(await api.say({ ...right, headers: without })).toMatchObject({ status: 401 });
    for (const name of Object.keys(without)) {
      const one = await api.say({ ...right, headers: { ...right.headers, [name]: undefined } });
      expect(one.status).toBe(401);
    }
    const none = { ...right, nonce: 'undefined', headers: { [signatureHeaders.nonce]: undefined } };
    expect(await api.say(none)).toMatchObject({ status: 401 });
  });

  test('a wrong key, and an unknown app in the same words and with the same headers', async () => {
    const wrong = await api.say({ ...right, key: deriveKey('another master key', 'ci', '12345678') });
    const unknown = await api.say({ ...right, app: 'nobody', key: 'a key' });
    expect(wrong.status).toBe(401);
    expect(unknown).toMatchObject({ status: 401, body: wrong.body });
    expect(unknown.headers.connection).toBe(wrong.headers.connection);
  });

  test('a disabled app', async () => {
    expect(await api.say({ ...right, app: 'off' })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('disabled') },
    });
  });

  test('a foreign address, before it looks at anything else', async () => {
    expect(await api.say({ ...right, from: '203.0.113.9' })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('address') },
    });
  });

  test('a timestamp more than 300 s away, on either side', async () => {
    for (const at of [api.clock.now - 301_000, api.clock.now + 301_000]) {
      expect(await api.say({ ...right, at })).toMatchObject({
        status: 401,
        body: { error: expect.stringContaining('300 s') },
      });
    }
    expect((await api.say({ ...right, at: api.clock.now - 299_000 })).status).not.toBe(401);
  });

  test('a nonce that was used before', async () => {
    const nonce = randomUUID();
    const first = await api.say({ ...right, nonce });
    expect(first.status).not.toBe(401);
    expect(await api.say({ ...right, nonce })).toMatchObject({
      status: 401,
      body: { error: expect.stringContaining('Nonce') },
    });
  });

  test('another method, path or query than was signed', async () => {
    const target = right.path;
    for (const signed of [{ method: 'PATCH' }, { target: `${target}?a=1` }, { target: `${target}x` }]) {
      expect(await api.say({ ...right, signed })).toMatchObject({ status: 401 });
    }
    expect(await api.say({ ...right, path: `${target}?a=1`, signed: { target } })).toMatchObject({
      status: 401,
    });
  });
});

const withBody = routes.filter(({ method }) => method === 'POST' || method === 'PUT');
test.each(withBody.map((each) => [`${each.method} ${each.path}`, each] as const))(
  '%s refuses another body than was signed',
  async (_name, each) => {
    const right = rightRequest(each);
    const body = right.body.replace('hello', 'other');
    const refused = await api.say({ ...right, body, signed: { body: right.body } });
    expect(refused.status).toBe(401);
  },
);

const withoutQuery = routes.filter(({ query }) => query === undefined);
test.each(withoutQuery.map((each) => [`${each.method} ${each.path}`, each] as const))(
  '%s refuses a query, which it would not look at',
  async (_name, each) => {
    const right = rightRequest(each);
    expect(await api.say({ ...right, path: `${right.path}?wait=true` })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('"wait"; this route takes none') },
    });
  },
);

const withoutBody = routes.filter(
  (each) => each.method === 'POST' && !(each.body ?? each.accepts ?? each.reads),
);
test.each(withoutBody.map((each) => [`${each.method} ${each.path}`, each] as const))(
  '%s refuses a body, which it would not look at',
  async (_name, each) => {
    const body = '{"receivers":["user:zhangsan"]}';
    expect(await api.say({ ...rightRequest(each), body })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('"receivers"; this route takes none') },
    });
    expect((await api.say({ ...rightRequest(each), body: '{}' })).status).not.toBe(400);
  },
);

const scoped = routes.filter(({ scope }) => scope !== undefined);
test.each(scoped.map((each) => [`${each.method} ${each.path}`, each] as const))(
  '%s refuses an app without its scope',
  async (_name, each) => {
    expect(await api.say({ ...rightRequest(each), app: 'narrow' })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining(`${each.scope}`) },
    });
  },
);

describe('what is no route', () => {
  test.each([
    ['GET', '/v1/nothing'],
    ['GET', '/'],
    ['DELETE', '/v1/messages'],
    ['PUT', '/v1/messages/abc'],
    ['HEAD', '/v1/messages'],
    ['OPTIONS', '/v1/messages'],
  ])('%s %s says so only to who is known', async (method, path) => {
    const none = { 'x-keypad-signature': undefined };
    expect((await api.app.inject({ method: method as 'GET', url: path, headers: {} })).statusCode).toBe(401);
    if (method !== 'HEAD') {
      expect(await api.say({ method, path, headers: none })).toMatchObject({ status: 401 });
      expect(await api.say({ method, path, key: 'wrong' })).toMatchObject({ status: 401 });
      expect(await api.say({ method, path })).toMatchObject({ status: 404 });
    }
  });

  test('a path that is no URL is refused', async () => {
    const bad = await api.app.inject({ method: 'GET', url: '/v1/templates/%zz' });
    expect(bad.statusCode).toBe(400);
    expect(bad.json()).toEqual({ error: expect.stringContaining('valid URL') });
  });
});

describe('a streamed body', () => {
  const body = 'line\n'.repeat(100);
  const said = (more: Partial<ApiRequest>): ApiRequest => ({
    method: 'POST',
    path: '/v1/campaigns/streamed',
    body,
    contentType: 'application/x-ndjson',
    ...more,
  });

  test('reaches its route when it is the one that was signed', async () => {
    expect(await api.say(said({}))).toMatchObject({ status: 200, body: { length: body.length } });
  });

  test('of another type than its route reads is refused', async () => {
    expect(await api.say(said({ contentType: 'application/json' }))).toMatchObject({
      status: 415,
      body: { error: expect.stringContaining('application/x-ndjson') },
    });
  });

  test('is not read with another hash than was signed', async () => {
    expect(
      await api.say(said({ headers: { [signatureHeaders.contentHash]: hashOf('other') } })),
    ).toMatchObject({
      status: 401,
    });
  });

  test('fails at its end when its bytes are others', async () => {
    const other = `${body.slice(0, -2)}f\n`;
    expect(await api.say(said({ body: other, signed: { body } }))).toMatchObject({
      status: 401,
      body: { error: expect.stringContaining('X-Keypad-Content-SHA256') },
    });
  });

  test('that turns out to be another when nobody reads it any more ends no process', async () => {
    const other = said({ path: '/v1/hasty', body: 'other', signed: { body } });
    expect(await api.say(other)).toMatchObject({ status: 200 });
  });

  test('fails as soon as it is too long', async () => {
    const long = 'x'.repeat(1001);
    expect(await api.say(said({ body: long }))).toMatchObject({
      status: 413,
      body: { error: expect.stringContaining('1000') },
    });
  });
});

describe('the log', () => {
  test('holds no key, signature or nonce of any request', async () => {
    const nonce = randomUUID();
    const key = deriveKey('some master key', 'ci', '12345678');
    await api.say({ path: '/v1/messages', nonce, key });
    await api.say({ path: '/v1/messages', nonce });
    await api.say({ path: '/v1/directory/callback-ranges', nonce: `${nonce}2` });
    const log = api.log();
    expect(log).toContain('reached');
    expect(log).toContain('/v1/messages');
    expect(log).not.toContain(nonce);
    expect(log).not.toContain(key);
    expect(log.replace(/"id":"[^"]*"/g, '')).not.toMatch(/[0-9a-f]{64}|x-keypad-signature/);
  });
});

test('a body that is too long is refused in one sentence', async () => {
  const body = 'x'.repeat(64 * 1024 + 1);
  expect(await api.say({ method: 'PUT', path: '/v1/templates/a', body })).toMatchObject({
    status: 413,
    body: { error: expect.stringContaining('65536 bytes') },
  });
});

test('a body that is not JSON is refused, by its type or by its bytes', async () => {
  const said = { method: 'PUT', path: '/v1/templates/a', body: '{' };
  expect(await api.say({ ...said, contentType: 'text/plain' })).toMatchObject({ status: 415 });
  expect(await api.say({ ...said, contentType: 'nonsense' })).toMatchObject({ status: 415 });
  expect(await api.say({ ...said, contentType: 'application/json' })).toMatchObject({ status: 400 });
});

test.each(['/v1/directory/users/lisi', '/v1/directory/callback-ranges'])(
  '%s of another account is refused, rather than answered from the enterprise of the default one',
  async (path) => {
    expect(await api.say({ path: `${path}?account=shop` })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('account') },
    });
  },
);

test('the log says which app is refused what, and once of many', async () => {
  for (let i = 0; i < 5; i += 1) {
    expect((await api.say({ path: '/v1/templates?limit=1', app: 'narrow' })).status).toBe(403);
  }
  const lines = api.log().trim().split('\n');
  const refused = lines.filter((line) => line.includes('"refused"') && line.includes('scope templates'));
  expect(refused.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', status: 403, app: 'narrow', source: '127.0.0.1' },
  ]);
});
