import { createServer } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { createHttpClient } from '../../../src/server/http-client.ts';
import { createWeComApi } from '../../../src/wecom/api/api.ts';
import { openApp } from '../../../src/wecom/api/app.ts';
import type { ApiCall } from '../../../src/wecom/api/call.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { createMemoryTokenStore, startScriptedWeCom } from './scripted-wecom.ts';

const weCom = await startScriptedWeCom();
const http = createHttpClient();
afterAll(async () => {
  await http.close();
  await weCom.stop();
});
beforeEach(() => {
  weCom.reset();
  weCom.script('user/get', member);
});

const member = { errcode: 0, userid: 'zhangsan', name: '张三', department: [1, 2] };
const busy = { errcode: -1, errmsg: 'system busy' };
const invalidToken = { errcode: 40014, errmsg: 'invalid access_token' };
const secret = 'the-app-secret';

/** A client with a token store of its own, and what it slept and reported. */
function client(baseUrl = weCom.url, timeoutMs = 5000) {
  const slept: number[] = [];
  const calls: ApiCall[] = [];
  const app = openApp({
    send: http.send,
    baseUrl,
    timeoutMs,
    corpId: 'ww0123456789abcdef',
    secret,
    agentId: 1000002,
    tokens: createMemoryTokenStore(),
    onCall: (call) => void calls.push(call),
    now: () => 0,
    sleep: async (ms) => void slept.push(ms),
  });
  return { api: createWeComApi(app), slept, calls };
}

async function errorOf(work: Promise<unknown>): Promise<WeComError> {
  const error = await work.then(() => null).catch((reason: unknown) => reason);
  if (!(error instanceof WeComError)) throw new Error(`expected a WeComError, got ${error}`);
  return error;
}

/** A port on loopback where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
}

describe('a call', () => {
  test('is a GET with the token in the URL', async () => {
    await client().api.user('zhangsan');
    expect(weCom.seen).toEqual([
      {
        method: 'GET',
        api: 'gettoken',
        query: { corpid: 'ww0123456789abcdef', corpsecret: secret },
        body: {},
      },
      {
        method: 'GET',
        api: 'user/get',
        query: { access_token: 'token-1', userid: 'zhangsan' },
        body: {},
      },
    ]);
  });

  test('goes under the path of a gateway', async () => {
    weCom.script('/gwgettoken', { errcode: 0, access_token: 'token-1', expires_in: 7200 });
    weCom.script('/gwuser/get', member);
    await client(`${weCom.url}/gw`).api.user('zhangsan');
    expect(weCom.seen.map(({ api }) => api)).toEqual(['/gwgettoken', '/gwuser/get']);
  });

  test('is repeated at most three times whatever went wrong on the way', async () => {
    weCom.script('user/get', 'break', { status: 500 }, busy, member);
    expect(await client().api.user('zhangsan')).toEqual({
      userid: 'zhangsan',
      name: '张三',
      departments: [1, 2],
    });
    weCom.script('user/get', 'break');
    await errorOf(client().api.user('zhangsan'));
    expect(weCom.calls('user/get')).toBe(8);
  });

  test('waits longer before each repeat, and gives up while WeCom stays busy', async () => {
    weCom.script('user/get', busy);
    const { api, slept } = client();
    expect(await errorOf(api.user('zhangsan'))).toMatchObject({ errcode: -1, kind: 'retry' });
    expect(weCom.calls('user/get')).toBe(4);
    expect(slept).toEqual([500, 1000, 2000]);
  });

  test.each([
    ['a broken connection', 'break'],
    ['a gateway error', { status: 502 }],
    ['an answer that is no JSON', { raw: '<html>' }],
    ['an answer without errcode', { raw: '[]' }],
    ['an answer that is null', { raw: 'null' }],
    ['an errcode that is no number', { errcode: '0' }],
  ] as const)('counts %s as an answer that got lost', async (_, answer) => {
    weCom.script('user/get', answer, member);
    const { api, calls } = client();
    await api.user('zhangsan');
    expect(calls.map(({ errcode }) => errcode)).toEqual([0, 'lost', 0]);
    weCom.script('user/get', answer);
    expect(await errorOf(api.user('zhangsan'))).toMatchObject({ errcode: 'lost', kind: 'retry' });
  });

  test('waits for an answer only so long', async () => {
    const { api, calls } = client(weCom.url, 300);
    // The token is at hand when the time begins.
    await api.user('zhangsan');
    weCom.script('user/get', 'hang', member);
    await api.user('zhangsan');
    expect(calls.map(({ errcode }) => errcode)).toEqual([0, 0, 'lost', 0]);
  });

  test('never follows a redirect: the token would go with it', async () => {
    weCom.script('user/get', { status: 302 });
    await errorOf(client().api.user('zhangsan'));
    expect(weCom.calls('/elsewhere')).toBe(0);
  });

  test('escapes what it puts in the URL', async () => {
    weCom.script('user/get', { errcode: 0, userid: 'x', name: '', department: [] });
    await client().api.user('a&b=c d');
    expect(weCom.seen[1]?.query).toEqual({ userid: 'a&b=c d', access_token: 'token-1' });
  });

  test('gives the callback ranges as CIDRs', async () => {
    weCom.script('getcallbackip', { errcode: 0, ip_list: ['101.226.103.*', '101.226.62.77'] });
    expect(await client().api.callbackRanges()).toEqual(['101.226.103.0/24', '101.226.62.77/32']);
  });

  test.each([{ ip_list: [] }, {}, { ip_list: ['*.*.*.*'] }])('takes no ranges from %j', async (answer) => {
    weCom.script('getcallbackip', { errcode: 0, ...answer });
    await expect(client().api.callbackRanges()).rejects.toThrow(InputError);
  });

  test.each([{}, { userid: 'x' }, { userid: 1, department: [] }])(
    'takes no member from %j',
    async (answer) => {
      weCom.script('user/get', { errcode: 0, ...answer });
      await expect(client().api.user('x')).rejects.toThrow(InputError);
    },
  );
});

test('a server that is not there is tried three times more, and every attempt is reported', async () => {
  const { api, calls, slept } = client(await deadUrl());
  expect(await errorOf(api.user('zhangsan'))).toMatchObject({
    api: 'gettoken',
    errcode: 'unsent',
    kind: 'retry',
  });
  expect(calls.map(({ errcode }) => errcode)).toEqual(['unsent', 'unsent', 'unsent', 'unsent']);
  expect(slept).toEqual([500, 1000, 2000]);
});

describe('the access token', () => {
  test('is fetched once for many calls', async () => {
    const { api } = client();
    await Promise.all(Array.from({ length: 20 }, (_, i) => api.user(`u${i}`)));
    expect(weCom.calls('gettoken')).toBe(1);
  });

  test.each([40014, 42001])('is fetched again, once, after %d', async (errcode) => {
    weCom.script('user/get', { errcode, errmsg: 'token' }, member);
    expect(await client().api.user('zhangsan')).toMatchObject({ userid: 'zhangsan' });
    expect(weCom.seen.map(({ query }) => query.access_token)).toEqual([
      undefined,
      'token-1',
      undefined,
      'token-2',
    ]);
  });

  test('that is refused twice is an error, not a loop', async () => {
    weCom.script('user/get', invalidToken);
    expect(await errorOf(client().api.user('zhangsan'))).toMatchObject({
      errcode: 40014,
      kind: 'token',
    });
    expect(weCom.calls('gettoken')).toBe(2);
    expect(weCom.calls('user/get')).toBe(2);
  });

  test('that is not given to a wrong secret is an error of the account', async () => {
    weCom.script('gettoken', { errcode: 40001, errmsg: 'invalid credential' });
    expect(await errorOf(client().api.user('zhangsan'))).toMatchObject({ errcode: 40001, kind: 'account' });
  });

  test('must come with its life', async () => {
    weCom.script('gettoken', { errcode: 0, access_token: 'x', expires_in: 0 });
    expect(await errorOf(client().api.user('zhangsan'))).toMatchObject({
      api: 'gettoken',
      errcode: 'unsent',
    });
  });
});

test('no error quotes the token or the secret, even when WeCom does', async () => {
  weCom.script('user/get', { errcode: 40058, errmsg: 'bad request /get?access_token=token-1' });
  const sending = await errorOf(client().api.user('zhangsan'));
  weCom.script('gettoken', { errcode: 40001, errmsg: `bad secret ${secret}` });
  const fetching = await errorOf(client().api.user('zhangsan'));
  for (const error of [sending, fetching]) {
    const text = `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
    expect(text).not.toContain('token-1');
    expect(text).not.toContain(secret);
  }
});

test('every request is reported with its api and errcode', async () => {
  weCom.script('user/get', { errcode: 45009, errmsg: 'freq' });
  const { api, calls } = client();
  await errorOf(api.user('zhangsan'));
  expect(calls).toEqual([
    { api: 'gettoken', errcode: 0, ms: 0 },
    { api: 'user/get', errcode: 45009, ms: 0 },
  ]);
});
