import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { createSecret } from '../../../src/config.ts';
import { createPush, type Push } from '../../../src/push/app.ts';
import { createKeys } from '../../../src/push/apps/keys.ts';
import { signRequest } from '../../../src/push/apps/signature.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { createLog } from '../../../src/server/log.ts';
import { createRegistry } from '../../../src/server/metrics.ts';

const masterKey = 'a master key of the tests, 32 characters long';
const lines: string[] = [];
const keysOf: Record<string, string> = {};
let push: Push;
let db: Database;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const database = await openPushDatabase();
  const { url, drop } = database;
  db = database.db;
  const keys = createKeys({ db, masterKey, now: Date.now });
  const scopes = ['text', 'template', 'templates', 'campaigns', 'directory'];
  for (const [app, words] of Object.entries({ ci: scopes, off: scopes, narrow: ['text'] })) {
    keysOf[app] = (await keys.create({ app, scopes: words })).key;
  }
  await keys.change('off', { enabled: false });
  push = await createPush({
    log: createLog({ level: 'trace', destination: { write: (line) => lines.push(line) } }),
    registry: createRegistry(),
    config: {
      accountsFile: undefined,
      account: {
        name: 'default',
        corpId: 'ww1',
        agentId: 1000002,
        secret: createSecret('the app secret'),
        accountLimit: 500,
      },
      // Nobody is there: what is refused needs no WeCom.
      apiUrl: 'http://127.0.0.1:1',
      httpsProxy: createSecret(''),
      httpProxy: createSecret(''),
      noProxy: '',
      trustedProxies: [],
      host: '127.0.0.1',
      port: 1,
      internalPort: 1,
      allowedSources: ['127.0.0.1'],
      mysqlUrl: createSecret(url),
      masterKey: createSecret(masterKey),
      robots: createSecret({}),
      concurrency: 1,
      keepDays: 90,
    },
  });
  stops.push(() => push.close(), drop);
});
afterAll(async () => {
  for (const stop of stops) await stop();
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly streamed: boolean;
  readonly scope: string | undefined;
}

interface Wrong {
  readonly app?: string;
  readonly key?: string;
  readonly nonce?: string;
  readonly at?: number;
  readonly unsigned?: boolean;
  readonly body?: string;
  readonly query?: string;
  readonly from?: string;
}

async function ask({ method, path, body, streamed }: Asked, wrong: Wrong = {}): Promise<number> {
  const { app = 'ci', nonce = randomUUID(), at = Date.now() } = wrong;
  const key = wrong.key ?? keysOf[app] ?? '';
  const signed = signRequest({ app, key }, { method, target: path, body, now: at, nonce });
  const { statusCode, payload } = await push.app.inject({
    method: method as 'GET',
    url: path + (wrong.query ?? ''),
    remoteAddress: wrong.from ?? '127.0.0.1',
    headers: {
      ...(wrong.unsigned ? {} : signed),
      ...(body !== '' && { 'content-type': streamed ? 'application/x-ndjson' : 'application/json' }),
    },
    ...(body !== '' && { payload: wrong.body ?? body }),
  });
  if (statusCode >= 400) expect(JSON.parse(payload)).toMatchObject({ error: expect.any(String) });
  return statusCode;
}

/** Every route as the running role itself tells of it. */
async function everyRoute(): Promise<readonly Asked[]> {
  const document: Asked = {
    method: 'GET',
    path: '/v1/openapi.json',
    body: '',
    streamed: false,
    scope: undefined,
  };
  const headers = signRequest(
    { app: 'ci', key: keysOf.ci ?? '' },
    { method: 'GET', target: document.path, now: Date.now(), nonce: randomUUID() },
  );
  const { paths } = (await push.app.inject({ url: document.path, headers })).json();
  return Object.entries<Record<string, { description?: string; requestBody?: { content: object } }>>(
    paths,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description, requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, 'abc'),
      body: ['post', 'put'].includes(method) ? '{"text":"hello"}' : '',
      streamed: 'application/x-ndjson' in (requestBody?.content ?? {}),
      scope: /scope (\w+)/.exec(description ?? '')?.[1],
    })),
  );
}

test('the running role refuses on every route what is not signed, fresh and allowed', async () => {
  const routes = await everyRoute();
  expect(routes.length).toBeGreaterThan(20);
  expect(routes.some(({ streamed }) => streamed)).toBe(true);
  for (const route of routes) {
    const nonce = randomUUID();
    const name = `${route.method} ${route.path}`;
    const first = await ask(route, { nonce });
    const answers = {
      name,
      isLetIn: first !== 401 && first !== 403,
      noKey: await ask(route, { unsigned: true }),
      wrongKey: await ask(route, { key: 'wrong' }),
      unknownApp: await ask(route, { app: 'nobody', key: 'any' }),
      disabled: await ask(route, { app: 'off' }),
      replayed: await ask(route, { nonce }),
      stale: await ask(route, { at: Date.now() - 310_000 }),
      foreign: await ask(route, { from: '203.0.113.9' }),
      changedQuery: await ask(route, { query: '?a=1' }),
      changedBody: route.body === '' ? 401 : await ask(route, { body: '{"text":"other"}' }),
      wrongScope: route.scope === undefined ? 403 : await ask(route, { app: 'narrow' }),
    };
    expect(answers).toEqual({
      name,
      isLetIn: true,
      noKey: 401,
      wrongKey: 401,
      unknownApp: 401,
      disabled: 403,
      replayed: 401,
      stale: 401,
      foreign: 403,
      changedQuery: 401,
      changedBody: 401,
      wrongScope: 403,
    });
  }
});

test('on every route what the path names and is not there is a 404, whatever its form', async () => {
  const asked = { streamed: false, scope: undefined };
  // What WeCom says of a member is not ours, and PUT makes what is not there.
  const named = (await everyRoute()).filter(
    ({ method, path }) => path.includes('/abc') && method !== 'PUT' && !path.includes('/directory/'),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const name of ['abc', 'a'.repeat(33), '%20', '%E4%B8%AD', '0'.repeat(36)]) {
    const answers = named.map(async ({ method, path }) => {
      const body = /restore$/.test(path) ? '{"version":1}' : /preview$/.test(path) ? '{}' : '';
      const target = path.replace('/abc', `/${name}`);
      return [method, target, await ask({ ...asked, method, path: target, body })];
    });
    const is404 = named.map(({ method, path }) => [method, path.replace('/abc', `/${name}`), 404]);
    expect(await Promise.all(answers)).toEqual(is404);
  }
});

test('the running role is ready without WeCom: it takes messages, which wait, and says how accounts fare', async () => {
  for (const check of Object.values(push.checks)) await expect(check()).resolves.toBeUndefined();
  const message = { to: { users: ['anna'] }, text: 'hello' };
  const asked = { streamed: false, scope: undefined };
  const hand = { ...asked, method: 'POST', path: '/v1/messages', body: JSON.stringify(message) };
  expect(await ask(hand)).toBe(202);
  expect(await ask({ ...asked, method: 'GET', path: '/v1/accounts', body: '' })).toBe(200);
});

test('the running role tells other replicas how many requests of an app it let through', async () => {
  await everyRoute();
  const counted = () => db.selectFrom('app_rates').select('app').where('app', '=', 'ci').execute();
  await expect.poll(counted, { timeout: 10_000 }).not.toEqual([]);
});

test('the log of the running role holds no key, signature, nonce or secret', async () => {
  const nonce = randomUUID();
  const [route] = await everyRoute();
  if (route !== undefined) await ask(route, { nonce, key: 'a wrong key of somebody' });
  const log = lines.join('');
  expect(log).toContain('"status":401');
  for (const secret of [
    ...Object.values(keysOf),
    masterKey,
    nonce,
    'a wrong key of somebody',
    'the app secret',
  ]) {
    expect(log).not.toContain(secret);
  }
});
