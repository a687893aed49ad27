import { randomBytes, randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { startRedis } from '#test/redis.ts';
import { signConsoleLink } from '../../../src/contract/console-link.ts';
import { addConsole } from '../../../src/push/console/console.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { type Internal, startInternal } from '../../../src/server/internal.ts';
import { createLog } from '../../../src/server/log.ts';
import { createRegistry } from '../../../src/server/metrics.ts';
import { createWaitingRedis } from '../../../src/server/redis.ts';

const KEY = 'the console key of the tests, long enough';
const redis = await startRedis();
const connection = createWaitingRedis(redis.url);
const queue = new Queue('push-alert', { connection });
const database = await openPushDatabase();
const clock = { now: Date.now() };
const lines: string[] = [];
const replicas: Internal[] = [];

async function startReplica(db = database.db): Promise<Internal> {
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  return startInternal({
    host: '127.0.0.1',
    port: 0,
    registry: createRegistry(),
    checks: {},
    extend: (app) =>
      addConsole(app, {
        db,
        key: KEY,
        queues: [queue],
        log,
        now: () => clock.now,
        newSecret: () => randomBytes(32).toString('base64url'),
      }),
  });
}

beforeAll(async () => {
  replicas.push(await startReplica(), await startReplica());
  await queue.add('send', { delivery: 7 }, { jobId: 'd7', delay: 3_600_000 });
});
afterAll(async () => {
  for (const { close } of replicas) await close();
  await queue.close();
  connection.disconnect();
  await redis.stop();
  await database.drop();
});

const urlOf = (at: number): string => replicas[at]?.url ?? 'no replica';
const tokenFor = (user = 'wangwu', now = clock.now) => signConsoleLink(KEY, { user, id: randomUUID(), now });
const login = (token: unknown, at = 0, headers = {}) =>
  fetch(`${urlOf(at)}/console/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token }),
  });
const cookieOf = (answered: Response): string => answered.headers.get('set-cookie') ?? '';
const look = (path: string, cookie = '', at = 0, method = 'GET') =>
  fetch(`${urlOf(at)}${path}`, { method, headers: { cookie: cookie.split(';')[0] ?? '' } });

/** Every address that shows something of the queues. */
const VIEWS = [
  '/console/queues',
  '/console/queues/',
  '/console/queues/api/queues',
  '/console/queues/queue/push-alert',
];

describe('without a login', () => {
  test('nothing of the queue view is shown, whatever cookie is sent', async () => {
    const file = /static\/js\/main[^"]+/.exec(
      await (await look('/console/queues', await enter())).text(),
    )?.[0];
    for (const path of [...VIEWS, `/console/queues/${file}`, '/console/queues/api/redis/stats']) {
      for (const cookie of ['', 'keypad_console=', `keypad_console=${'x'.repeat(43)}`]) {
        const answered = await look(path, cookie);
        expect([path, answered.status]).toEqual([path, 401]);
        expect(await answered.text()).toBe('没有登录：请在菜单的「控制台」获取链接。\n');
      }
    }
  });

  test('health and metrics are what they were', async () => {
    expect(await (await look('/healthz')).text()).toBe('ok\n');
    const metrics = await look('/metrics');
    expect([metrics.status, metrics.headers.get('cache-control')]).toEqual([200, null]);
  });
});

async function enter(user?: string): Promise<string> {
  const answered = await login(await tokenFor(user));
  expect(answered.status).toBe(200);
  return cookieOf(answered);
}

describe('a link', () => {
  test('opens the queue view, in every replica', async () => {
    const cookie = await enter();
    for (const at of [0, 1]) {
      for (const path of VIEWS) expect([path, (await look(path, cookie, at)).status]).toEqual([path, 200]);
    }
    const page = await (await look('/console/queues/api/queues', cookie)).text();
    expect(JSON.parse(page).queues).toMatchObject([{ name: 'push-alert', counts: { delayed: 1 } }]);
  });

  test('works once, also when two replicas are asked at the same time', async () => {
    const token = await tokenFor();
    const answers = await Promise.all([0, 1, 0, 1].map((at) => login(token, at)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403, 403]);
    const again = await login(token);
    expect([again.status, await again.json()]).toEqual([403, { error: '链接已经用过，请在菜单里重新获取' }]);
    expect(cookieOf(again)).toBe('');
  });

  test('is good for five minutes', async () => {
    const token = await tokenFor('wangwu', clock.now - 299_000);
    expect((await login(token)).status).toBe(200);
    const late = await login(await tokenFor('wangwu', clock.now - 301_000));
    expect([late.status, await late.json()]).toEqual([403, { error: '链接已过期，请在菜单里重新获取' }]);
  });

  test('that another key signed, that is for something else, lives longer or says no user is refused', async () => {
    const secret = (key: string) => new TextEncoder().encode(key);
    const made = (change: (jwt: SignJWT) => SignJWT, key = KEY, alg = 'HS256') =>
      change(
        new SignJWT()
          .setProtectedHeader({ alg })
          .setSubject('wangwu')
          .setJti(randomUUID())
          .setAudience('keypad-console')
          .setIssuedAt(Math.floor(clock.now / 1000))
          .setExpirationTime(Math.floor(clock.now / 1000) + 300),
      ).sign(secret(key));
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await made((jwt) => jwt)).split('.')[1]}.`;
    const refused = [
      await made((jwt) => jwt, 'another key of the console, also long'),
      await made((jwt) => jwt.setAudience('keypad-ops')),
      await made((jwt) => jwt.setIssuedAt(Math.floor(clock.now / 1000) - 301)),
      await made((jwt) => jwt.setIssuedAt(Math.floor(clock.now / 1000) + 600)),
      await made((jwt) => jwt.setSubject('')),
      await made((jwt) => jwt.setJti('7')),
      await made((jwt) => jwt, KEY, 'HS512'),
      unsigned,
      '',
      'x.y.z',
    ];
    for (const token of refused) expect([token, (await login(token)).status]).toEqual([token, 403]);
    expect((await login(await made((jwt) => jwt))).status).toBe(200);
    for (const body of [undefined, 7, 'x'.repeat(3000)]) expect((await login(body)).status).toBe(400);
  });

  test('opens a page without the token, which a preview cannot use up', async () => {
    const token = await tokenFor();
    const page = await look('/console/login');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('login.js')]);
    const asked = await look(`/console/login?token=${token}`);
    expect([asked.status, cookieOf(asked)]).toEqual([200, '']);
    expect((await login(token)).status).toBe(200);
  });

  test('and its token are in no log; who used it is', async () => {
    const token = await tokenFor('zhaoliu');
    const cookie = cookieOf(await login(token));
    await login(token);
    const logged = lines.join('');
    expect(logged).toContain('"user":"zhaoliu"');
    for (const part of [...token.split('.').slice(1), cookie.split(/[=;]/)[1] ?? 'none']) {
      expect(logged).not.toContain(part);
    }
  });
});

test('while the database is away nobody sees anything, not even why', async () => {
  const away = openDatabase('mysql://root:hunter2@127.0.0.1:1/keypad_push');
  const at = replicas.push(await startReplica(away)) - 1;
  const cookie = `keypad_console=${'x'.repeat(43)}`;
  for (const path of VIEWS) {
    const answered = await look(path, cookie, at);
    expect([answered.status, await answered.text()]).toEqual([503, '暂时无法查看，请稍后再试。\n']);
  }
  const refused = await login(await tokenFor(), at);
  expect([refused.status, await refused.json()]).toEqual([503, { error: '暂时无法登录，请稍后再试。' }]);
  expect(lines.join('')).not.toContain('hunter2');
  await away.destroy();
});

describe('a session', () => {
  test('ends after 30 minutes', async () => {
    const cookie = await enter();
    const began = clock.now;
    clock.now = began + 1_799_000;
    expect((await look('/console/queues', cookie)).status).toBe(200);
    clock.now = began + 1_800_000;
    expect((await look('/console/queues', cookie)).status).toBe(401);
    clock.now = began;
  });

  test('is a cookie that no script reads and no other site sends, and not what the database holds', async () => {
    const cookie = await enter();
    expect(cookie).toMatch(
      /^keypad_console=[\w-]{43}; Path=\/console; Max-Age=1800; HttpOnly; SameSite=Strict$/,
    );
    const behindTls = await login(await tokenFor(), 0, { 'x-forwarded-proto': 'https' });
    expect(cookieOf(behindTls)).toMatch(/; Secure$/);
    const rows = await database.db.selectFrom('console_sessions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(cookie.split(/[=;]/)[1]);
  });

  test('changes nothing in a queue', async () => {
    const cookie = await enter();
    for (const path of ['pause', 'empty', 'obliterate', 'd7/promote', 'd7/clean']) {
      const answered = await look(`/console/queues/api/queues/push-alert/${path}`, cookie, 0, 'PUT');
      expect([path, answered.status]).toEqual([path, 405]);
    }
    expect((await look('/console/queues/api/queues/pause', cookie, 0, 'PUT')).status).toBe(405);
    expect(await queue.isPaused()).toBe(false);
    expect(await queue.getDelayedCount()).toBe(1);
  });

  test('shows pages that nobody keeps, frames, or is told of', async () => {
    const cookie = await enter();
    for (const path of ['/console/login', ...VIEWS]) {
      const { headers } = await look(path, cookie);
      expect(headers.get('cache-control'), path).toBe('no-store');
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    }
  });
});
