import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCertificate } from '../../../demo/cluster/certificate.ts';
import { createSecret } from '../../../src/config.ts';
import { type OpsHarness, openOpsHarness, type Replica } from '../ops-harness.ts';

const TOKEN = 'a-token/of+the"service';

/** What came to the service, and what it answers. */
interface Came {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
let came: Came[];
let respond: (response: ServerResponse) => void;
const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
const listen = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { method, url, headers } = request;
  came.push({ method, url, headers, body: Buffer.concat(await request.toArray()).toString() });
  respond(response);
};
const server = createServer((request, response) => void hear(request, response));
const theirs = createCertificate(new Date());
const tlsServer = createTlsServer(theirs, (request, response) => void hear(request, response));

const typed = 'input: { name: { title: 名字, type: string, maxLength: 200 } }';
const files: Readonly<Record<string, string>> = {
  'path.yaml': `
kind: http
title: 按名字
risk: read
${typed}
http: { service: cache, method: GET, path: '/items/{name}/x', show: found }
`,
  'places.yaml': `
kind: http
title: 各处
risk: read
input:
  name: { title: 名字, type: string }
  count: { title: 个数, type: integer, minimum: 0, maximum: 9 }
  sure: { title: 确定, type: boolean }
http:
  service: cache
  method: POST
  path: /search
  query: { q: '{name}', fixed: a&b }
  headers: { x-name: 'n {name}', authorization: 'Bearer {TOKEN}' }
  body: { name: '{name}', text: 'is {name}', count: '{count}', list: [true, 1, '{sure}'], key: '{TOKEN}' }
  secrets: { TOKEN: { env: CACHE_TOKEN } }
  show: found
  seconds: 1
`,
  'form.yaml': `
kind: http
title: 表单
risk: read
${typed}
http:
  service: cache
  method: POST
  path: /form
  headers: { content-type: application/x-www-form-urlencoded }
  body: name={name}&more=1
`,
  'change.yaml': `
kind: http
title: 清空
risk: low
${typed}
http: { service: cache, method: POST, path: '/flush/{name}', show: flushed, seconds: 1 }
`,
  'expects.yaml': `
kind: http
title: 有没有
risk: read
${typed}
http: { service: cache, method: GET, path: '/items/{name}', expect: [200, 404], show: found }
`,
  'tls.yaml': `
kind: http
title: 加密
risk: read
http: { service: tls, method: GET, path: /, show: found }
`,
  'wrong-ca.yaml': `
kind: http
title: 别人的
risk: read
http: { service: wrong-ca, method: GET, path: /, show: found }
`,
};

let harness: OpsHarness;
let ops: Replica;
let tokenFile: string;
beforeAll(async () => {
  const [port, tlsPort] = [await listen(server), await listen(tlsServer)];
  harness = await openOpsHarness({ policy: 'units: {}' });
  const at = (name: string) => join(harness.directory, name);
  tokenFile = at('token');
  writeFileSync(tokenFile, TOKEN);
  writeFileSync(at('ca.pem'), theirs.cert);
  writeFileSync(at('wrong.pem'), createCertificate(new Date()).cert);
  writeFileSync(
    harness.policyFile,
    `
units:
  电商:
    environment: test
    services:
      cache: { url: 'http://127.0.0.1:${port}/base/path/' }
      tls: { url: 'https://127.0.0.1:${tlsPort}', ca: ${at('ca.pem')} }
      wrong-ca: { url: 'https://127.0.0.1:${tlsPort}', ca: ${at('wrong.pem')} }
  支付: { environment: test, services: { other: { url: 'http://127.0.0.1:1' } } }
roles: { all: { members: { users: [zhangsan] }, grants: [{ operations: ['*'], units: '*', new: allowed }] } }
`,
  );
  mkdirSync(at('operations'));
  for (const [name, text] of Object.entries(files)) writeFileSync(at(`operations/${name}`), text);
  ops = await harness.startReplica({
    operationsDir: at('operations'),
    pluginEnvironment: createSecret({ CACHE_TOKEN_FILE: tokenFile }),
  });
});
afterAll(async () => {
  await harness.stop();
  for (const each of [server, tlsServer]) {
    each.closeAllConnections();
    each.close();
  }
});
beforeEach(() => {
  came = [];
  respond = json({ found: ['x'], flushed: 3 });
});

const ask = (name: string, input: object) => ops.as('zhangsan').post(name, { unit: '电商', ...input });
const search = (input: object) => ask('places', { name: 'x', count: 1, sure: true, ...input });

const harmless = [
  'a"b',
  "it's",
  '$(id)',
  '`id`',
  '100%',
  '名字 空格',
  'a@b:c',
  'a?b#c',
  'a&b=c',
  '{name}',
  '...',
];
const leading = ['../..', '..', '.', '%2e', '%2e%2e', 'a/b', 'a\\b', '..%2f', '%252e%252e%252f', '..;x', '/'];

describe('what is typed', () => {
  test.each([...harmless, '%2e%2e', 'a/../b', '<a>\\'])(
    'is one value, wherever it stands: %s',
    async (name) => {
      expect(await search({ name })).toEqual({ state: 'done', output: ['x'] });
      const { url = '', headers, body } = came[0] as Came;
      const { pathname, searchParams } = new URL(url, 'http://x');
      expect(pathname).toBe('/base/path/search');
      expect([...searchParams]).toEqual([
        ['q', name],
        ['fixed', 'a&b'],
      ]);
      expect(decodeURIComponent(`${headers['x-name']}`)).toBe(`n ${name}`);
      expect(JSON.parse(body)).toEqual({
        name,
        text: `is ${name}`,
        count: 1,
        list: [true, 1, true],
        key: TOKEN,
      });
      await ask('form', { name });
      expect([...new URLSearchParams(came[1]?.body)]).toEqual([
        ['name', name],
        ['more', '1'],
      ]);
    },
  );

  test.each(harmless)('is one part of a path: %s', async (name) => {
    expect(await ask('path', { name })).toMatchObject({ state: 'done' });
    const parts = came[0]?.url?.split('/') ?? [];
    expect(parts.map(decodeURIComponent)).toEqual(['', 'base', 'path', 'items', name, 'x']);
  });

  test.each(leading)(
    'never leads out of a path, and is refused before anything is sent: %s',
    async (name) => {
      expect(await ask('path', { name })).toMatchObject({ state: 'refused', reason: 'input' });
      expect(came).toEqual([]);
    },
  );

  test.each(['a\nb', 'a\r\nx-more: 1', '\ud800', ''])(
    'is refused when it is no text of one line: %j',
    async (name) => {
      for (const operation of ['path', 'form'])
        expect(await ask(operation, { name })).toMatchObject({ state: 'refused', reason: 'input' });
      expect(came).toEqual([]);
    },
  );
});

describe('an answer', () => {
  test.each([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [7, ['7']],
    [{ entries: 3, name: 'goods' }, ['entries 3', 'name goods']],
    [[{ a: 1, b: null }], ['a 1，b （空）']],
    [null, []],
    [Array.from({ length: 101 }, () => 'x'), [...Array(100).fill('x'), '……只列出前 100 行']],
  ])('is shown as lines: %j', async (found, lines) => {
    respond = json({ found });
    expect(await search({})).toEqual({ state: 'done', output: lines });
  });

  test.each([
    [404, { state: 'done', output: ['no'] }],
    [201, { state: 'failed', message: '服务 cache 的回答和预期不同（201）' }],
  ])('of the status %i is one where it is expected', async (status, answer) => {
    respond = json({ found: 'no' }, status);
    expect(await ask('expects', { name: 'x' })).toEqual(answer);
  });

  test('without an expression is told by its status alone', async () => {
    respond = json('whatever', 204);
    expect(await ask('form', { name: 'x' })).toEqual({ state: 'done', output: ['服务 cache：成功（204）'] });
  });

  const elsewhere = 'http://127.0.0.1:1/elsewhere';
  test.each<[string, (response: ServerResponse) => void, string]>([
    ['500', json({ error: 'our own words' }, 500), '出错了（500）'],
    ['403', json({}, 403), '不允许 Keypad 这样做（403）'],
    ['404', json({}, 404), '里没有这个对象（404）'],
    ['422', json({}, 422), '拒绝了请求（422）'],
    [
      'a redirect',
      (response) => response.writeHead(307, { location: elsewhere }).end(),
      '要求转到别处，没有跟随（307）',
    ],
    ['no JSON', (response) => response.end('<html>'), '的回答看不懂'],
    ['10 MB', (response) => response.end('x'.repeat(10_000_000)), '没有给出完整的回答（超时、中断或太长）'],
    ['nothing in time', () => {}, '没有给出完整的回答（超时、中断或太长）'],
    [
      'a broken connection',
      (response) => response.socket?.destroy(),
      '没有给出完整的回答（超时、中断或太长）',
    ],
  ])(
    'that is none, %s, is a plain sentence, and the story is in the log',
    async (_what, answer, sentence) => {
      respond = answer;
      const known = ops.logged.length;
      expect(await search({})).toEqual({ state: 'failed', message: `服务 cache ${sentence}` });
      expect(came).toHaveLength(1);
      const lines = ops.logged.slice(known);
      expect(lines).toContainEqual(
        expect.objectContaining({ msg: 'a service failed', service: 'cache', id: expect.any(String) }),
      );
      expect(JSON.stringify(lines)).not.toMatch(/elsewhere|own words/);
      const [row] = await harness.sql('select outcome, reason from audit order by seq desc limit 1');
      expect(row).toEqual({ outcome: 'failed', reason: `服务 cache ${sentence}` });
    },
  );
});

test('an authority of its own is believed, and no other', async () => {
  expect(await ask('tls', {})).toEqual({ state: 'done', output: ['x'] });
  expect(await ask('wrong-ca', {})).toEqual({ state: 'failed', message: '服务 wrong-ca 连不上，请稍后再试' });
  expect(came).toHaveLength(1);
});

test('a unit without the service has no such operation', async () => {
  const rights = (await ops.as('zhangsan').read('me', {})) as Record<string, string[]>;
  expect(rights.电商).toContain('path');
  expect(rights.支付 ?? []).not.toContain('path');
  expect(await ops.as('zhangsan').post('path', { unit: '支付', name: 'x' })).toMatchObject({
    state: 'refused',
    reason: 'policy',
  });
});

describe('a secret', () => {
  test('is read anew for each request, and is told to nobody', async () => {
    respond = json({ found: [`your token is ${TOKEN}`, { [TOKEN]: TOKEN }] });
    expect(await search({})).toEqual({ state: 'done', output: ['your token is ***', '*** ***'] });
    writeFileSync(tokenFile, 'rotated-token-2\n');
    await search({});
    expect(came.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${TOKEN}`,
      'Bearer rotated-token-2',
    ]);
    writeFileSync(tokenFile, '');
    expect(await search({})).toEqual({
      state: 'failed',
      message: '服务 cache 的密钥平台读不到，请联系运维负责人',
    });
    expect(came).toHaveLength(2);
    writeFileSync(tokenFile, TOKEN);
    const audit = JSON.stringify(await harness.sql('select * from audit'));
    for (const told of [JSON.stringify(ops.logged), audit]) {
      expect(told).not.toMatch(/a-token|rotated-token/);
      expect(told).toContain(told === audit ? '密钥平台读不到' : 'the secret TOKEN is empty');
    }
  });
});

describe('a change', () => {
  const flush = async () => {
    const input = { unit: '电商', name: 'goods' };
    const shown = await ops.as('zhangsan').post('change/preview', input);
    if (shown.state !== 'preview') throw new Error(JSON.stringify(shown));
    const { id, hash } = shown.preview;
    expect(shown.preview.lines).toEqual(['电商 · cache', '名字：goods']);
    return { id, answer: await ops.as('zhangsan').post('change', { input, preview: { id, hash } }) };
  };

  test('tells what was answered', async () => {
    expect((await flush()).answer).toEqual({ state: 'done', text: '清空 cache：3' });
  });

  test('that is done stays done when its answer makes no sense', async () => {
    respond = (response) => response.end('OK');
    expect((await flush()).answer).toEqual({ state: 'done', text: '清空 cache：已执行，但服务的回答看不懂' });
  });

  test('that was refused did not happen', async () => {
    respond = json({}, 409);
    expect((await flush()).answer).toEqual({
      state: 'failed',
      message: '没有执行：服务 cache 拒绝了请求（409）',
    });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['an error of the service', json({}, 500)],
    ['a redirect, as after many forms', (response) => response.writeHead(303, { location: '/' }).end()],
    ['an answer that does not come', () => {}],
    ['a connection that breaks', (response) => response.socket?.destroy()],
  ])(
    'may have happened after %s: nothing is sent again, and nobody is told more than is known',
    async (_what, answer) => {
      respond = answer;
      const { id, answer: told } = await flush();
      expect(told).toMatchObject({ state: 'accepted', text: expect.stringContaining('没有收到确切的结果') });
      harness.clock.pass(20_000);
      await ops.sweep();
      expect(await harness.told(id)).toMatchObject({
        text: '清空 cache：结果不明，平台中断过；平台看不到它有没有生效，请自行确认',
      });
      expect(came).toHaveLength(1);
    },
  );
});
