import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { openDatabase } from '../../src/push/database/database.ts';
import { createSeal, createTokenStore } from '../../src/push/token-store.ts';
import { createHttpClient } from '../../src/server/http-client.ts';
import type { TokenStore } from '../../src/wecom/api/access-token.ts';
import { createWeComApi } from '../../src/wecom/api/api.ts';
import { openApp } from '../../src/wecom/api/app.ts';
import { startScriptedWeCom } from '../wecom/api/scripted-wecom.ts';

const { db, url, drop } = await openPushDatabase();
const http = createHttpClient();
const weCom = await startScriptedWeCom();
const replicas = [db, openDatabase(url)] as const;
afterAll(async () => {
  await replicas[1].destroy();
  await drop();
  await http.close();
  await weCom.stop();
});
beforeEach(async () => {
  weCom.reset();
  await db.deleteFrom('access_tokens').execute();
});

/** What the clock of the database says, where a test moves it. */
const clock = { ms: 1_767_225_600_000 };
const corpId = 'ww0123456789abcdef';
const storeOf = (database = db, secret = 'secret', agentId = 1000002) =>
  createTokenStore(database, { corpId, agentId, secret }, () => sql<number>`${sql.lit(clock.ms)}`);
const rows = () => db.selectFrom('access_tokens').selectAll().execute();

const member = { errcode: 0, userid: 'zhangsan', name: '张三', department: [1] };

test('a token is kept for its app until its life is over, and no secret beside it', async () => {
  expect(await storeOf().read()).toBeNull();
  await storeOf().write({ token: 'token', lifeMs: 7_000_000 });
  clock.ms += 6_999_999;
  expect(await storeOf(replicas[1]).read()).toEqual({ token: 'token', lifeMs: 1 });
  clock.ms += 1;
  expect(await storeOf().read()).toBeNull();
  expect(await rows()).toMatchObject([
    { corp_id: corpId, agent_id: 1000002, secret_hash: expect.stringMatching(/^[0-9a-f]{16}$/) },
  ]);
});

test('without a clock of its own it is the clock of the database that counts', async () => {
  const store = createTokenStore(db, { corpId, agentId: 1, secret: 'secret' });
  await store.write({ token: 'token', lifeMs: 3_600_000 });
  expect((await store.read())?.lifeMs).toBeLessThanOrEqual(3_600_000);
  const [{ expires_at: end } = { expires_at: 0 }] = await rows();
  // The servers of the tests run on this machine; the zone and the summer time of neither has a part in it.
  expect(Math.abs(end - 3_600_000 - Date.now())).toBeLessThan(600_000);
  expect(await store.lock(60_000)).not.toBeNull();
  expect(await store.lock(60_000)).toBeNull();
});

test('another secret or another app begins anew', async () => {
  await storeOf().write({ token: 'token', lifeMs: 1 });
  expect(await storeOf(db, 'new secret').read()).toBeNull();
  expect(await storeOf(db, 'secret', 7).read()).toBeNull();
});

test('what an earlier secret has left is deleted when it has been of no use for a day', async () => {
  await storeOf(db, 'old secret').write({ token: 'old', lifeMs: 1000 });
  await storeOf(db, 'old secret', 7).write({ token: 'of another app', lifeMs: 1000 });
  // An old replica is still fetching with the secret before that.
  expect(await storeOf(db, 'older secret').lock(86_402_000)).not.toBeNull();
  clock.ms += 86_400_000;
  await storeOf().write({ token: 'new', lifeMs: 1000 });
  expect(await rows()).toHaveLength(4);
  clock.ms += 1001;
  await storeOf().write({ token: 'newer', lifeMs: 1000 });
  expect((await rows()).map(({ agent_id }) => agent_id).sort()).toEqual([1000002, 1000002, 7]);
  expect(await storeOf(db, 'older secret').lock(1)).toBeNull();
  expect((await storeOf().read())?.token).toBe('newer');
});

test('who reads the database learns no token, and who writes there makes nobody use another', async () => {
  await storeOf().write({ token: 'the-token', lifeMs: 7_000_000 });
  const kept = (await rows())[0]?.sealed ?? '';
  expect(kept).not.toContain('the-token');
  for (const part of kept.split('.')) {
    expect(Buffer.from(part, 'base64url').toString('latin1')).not.toContain('the-token');
  }
  const changed = kept.split('.').map((_, at, parts) => parts.with(at, 'AAAA').join('.'));
  for (const sealed of [
    'forged',
    '',
    kept.slice(0, -8),
    `${kept.slice(0, 40)}AAAA${kept.slice(44)}`,
    ...changed,
    await createSeal('a guess').close('forged'),
  ]) {
    await db.updateTable('access_tokens').set({ sealed }).execute();
    expect(await storeOf().read()).toBeNull();
  }
  await storeOf().write({ token: 'next', lifeMs: 1 });
  expect((await storeOf().read())?.token).toBe('next');
});

test('only the token that is kept can be dropped', async () => {
  await storeOf().write({ token: 'new', lifeMs: 1 });
  await storeOf().drop('old');
  expect((await storeOf().read())?.token).toBe('new');
  await storeOf().drop('new');
  expect(await storeOf().read()).toBeNull();
});

describe('the lock', () => {
  test('is held by one, until it is given back; a token may be written meanwhile', async () => {
    const unlock = await storeOf().lock(5000);
    expect(unlock).not.toBeNull();
    await storeOf().write({ token: 'token', lifeMs: 1 });
    expect(await storeOf(replicas[1]).lock(5000)).toBeNull();
    expect(await storeOf(db, 'new secret').lock(5000)).not.toBeNull();
    await unlock?.();
    expect(await storeOf(replicas[1]).lock(5000)).not.toBeNull();
    expect((await storeOf().read())?.token).toBe('token');
  });

  test('is taken by one of many that want it at once', async () => {
    const all = Array.from({ length: 20 }, (_, i) => storeOf(replicas[i % 2]).lock(5000));
    expect((await Promise.all(all)).filter((unlock) => unlock !== null)).toHaveLength(1);
  });

  test('of who died in the middle of fetching comes free by itself', async () => {
    expect(await storeOf().lock(5000)).not.toBeNull();
    clock.ms += 4999;
    expect(await storeOf(replicas[1]).lock(5000)).toBeNull();
    clock.ms += 1;
    expect(await storeOf(replicas[1]).lock(5000)).not.toBeNull();
  });

  test('that ran out cannot be given back from under its next holder', async () => {
    const late = await storeOf().lock(5000);
    clock.ms += 5000;
    expect(await storeOf(replicas[1]).lock(5000)).not.toBeNull();
    await late?.();
    expect(await storeOf().lock(5000)).toBeNull();
  });
});

/** A client of one replica. Instead of sleeping it waits until the token has been written by anybody. */
function replica(database: typeof db, written: PromiseWithResolvers<void>) {
  const kept = storeOf(database);
  const tokens: TokenStore = {
    ...kept,
    write: async (token) => {
      await kept.write(token);
      written.resolve();
    },
  };
  const app = openApp({
    send: http.send,
    baseUrl: weCom.url,
    corpId,
    secret: 'secret',
    agentId: 1000002,
    tokens,
    sleep: () => written.promise,
  });
  return createWeComApi(app);
}

/** Ten calls of each of two replicas at once. */
function askEverywhere(): Promise<unknown> {
  const written = Promise.withResolvers<void>();
  const clients = replicas.map((database) => replica(database, written));
  return Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 2]?.user('zhangsan')));
}

test('twenty callers in two replicas ask WeCom for one token', async () => {
  weCom.script('user/get', member);
  await askEverywhere();
  expect(weCom.calls('gettoken')).toBe(1);
  expect(weCom.calls('user/get')).toBe(20);
});

test('a token that WeCom took back early is replaced once by twenty callers in two replicas', async () => {
  await storeOf().write({ token: 'taken-back', lifeMs: 3_600_000 });
  weCom.script('user/get', ({ query }) =>
    query.access_token === 'taken-back' ? { errcode: 42001, errmsg: 'expired' } : member,
  );
  await askEverywhere();
  expect(weCom.calls('gettoken')).toBe(1);
  expect(weCom.seen.some(({ query }) => query.access_token === 'taken-back')).toBe(true);
});
