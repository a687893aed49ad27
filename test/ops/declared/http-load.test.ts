import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { createDeclared } from '../../../src/ops/declared/index.ts';
import { readPolicy } from '../../../src/ops/policy/document.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-http-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const empty = join(directory, 'empty');
writeFileSync(empty, '\n');

/** A declaration that is good, for what a test then spoils. */
const good = {
  kind: 'http',
  title: '清空缓存',
  risk: 'high',
  input: { name: { title: '缓存', type: 'string' } },
  http: {
    service: 'cache',
    method: 'POST',
    path: '/caches/{name}/flush',
    headers: { Authorization: 'Bearer {TOKEN}' },
    secrets: { TOKEN: { env: 'TOKEN' } },
    idempotency: 'Idempotency-Key',
    show: 'flushed',
    target: '{name}',
    preview: { request: { path: '/caches/{name}' }, before: 'entries', after: '0' },
    check: { request: { path: '/operations/{id}' }, applied: 'applied', never: 'closed' },
  } as Record<string, unknown>,
};
const problemsOf = (value: unknown, environment: Record<string, string> = { TOKEN: 'x' }) => {
  try {
    createDeclared({ environment })(JSON.stringify(value));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};
const spoilt = (changes: object, others: object = {}) => ({
  ...good,
  ...others,
  http: { ...good.http, ...changes },
});
const preview = (changes: object) => ({ preview: { request: { path: '/' }, show: '@', ...changes } });
const check = (changes: object) => ({ check: { request: { path: '/' }, applied: '@', ...changes } });

test('a whole declaration is read', () => {
  expect(problemsOf(good)).toEqual([]);
  expect(createDeclared({ environment: undefined })(JSON.stringify(good))).toMatchObject({
    kind: 'change',
    title: '清空缓存',
    services: ['cache'],
  });
});

describe('what is wrong with a declaration is named with its place:', () => {
  test.each<[string, object, string]>([
    [
      'a part that is not there',
      { path: '/{nam}/{name}' },
      'http.path: has the part {nam}, which is not there; there are unit, name, id',
    ],
    ['a path that begins otherwise', { path: '@evil/{name}' }, 'http.path: begins with /'],
    ['a query in the path', { path: '/{name}?a=b' }, 'http.path: begins with /, and has no query behind it'],
    [
      'a secret in the path',
      { path: '/{name}/{TOKEN}' },
      'http.path: a secret has no place in an address; send it in a header',
    ],
    [
      'a secret in the query',
      { query: { t: '{TOKEN}' } },
      'http.query.t: a secret has no place in an address; send it in a header',
    ],
    [
      'a secret that is not declared',
      { headers: { a: '{TOKEN}', b: '{OTHER}' } },
      'http.headers.b: has the part {OTHER}',
    ],
    ['a secret that is not used', { headers: {} }, 'http.secrets.TOKEN: is used nowhere'],
    ['an input that is not used', { path: '/', target: 'x', ...preview({}) }, 'input.name: is used nowhere'],
    ['a method that is none', { method: 'FLUSH' }, 'http.method: '],
    ['a header that is none', { headers: { 'a b': 'x' } }, 'http.headers.a b: is no name of a header'],
    [
      'a header of the connection',
      { headers: { Host: 'x' } },
      'http.headers.Host: belongs to the connection',
    ],
    ['a header of two lines', { headers: { a: 'x\r\nb: y' } }, 'http.headers.a: is not one line of ASCII'],
    [
      'a login that is typed',
      { headers: { authorization: 'Bearer {name}' } },
      'http.headers.authorization: has the part {name}, which is not there; there are TOKEN',
    ],
    [
      'a key that stands twice',
      { headers: { 'idempotency-key': 'x' } },
      'http.idempotency: stands in headers too',
    ],
    ['a key that is no header', { idempotency: 'a b' }, 'http.idempotency: is no name of a header'],
    ['an expression that is none', { show: 'a[' }, 'http.show: is no JMESPath: '],
    [
      'a function that is none',
      { show: 'frobnicate(@)' },
      'http.show: has the function frobnicate(), which JMESPath has not',
    ],
    ['an expression of the check', check({ applied: ']' }), 'http.check.applied: is no JMESPath'],
    ['an expression of the preview', preview({ show: ']' }), 'http.preview.show: is no JMESPath'],
    ['a preview without an end', preview({ before: 'a' }), 'http.preview: `before` and `after` go together'],
    ['a preview that shows nothing', { preview: { request: { path: '/' } } }, 'http.preview: shows nothing'],
    [
      'the id in a preview',
      preview({ request: { path: '/{id}' } }),
      'http.preview.request.path: has the part {id}',
    ],
    [
      'JSON as a text',
      { headers: { 'content-type': 'application/json' }, body: '{{"a":"{name}"}}' },
      'http.body: parts are put into the text of text/plain',
    ],
    ['a part in a body', { body: { a: [{ b: '{nobody}' }] } }, 'http.body.a.0.b: has the part {nobody}'],
    ['a time that is too long', { seconds: 60 }, 'http.seconds: '],
    ['a status that is none', { expect: [99] }, 'http.expect.0: '],
    ['what nobody knows', { follow: true }, 'http: Unrecognized key'],
  ])('%s', (_what, changes, problem) => {
    expect(problemsOf(spoilt(changes)).join('\n')).toContain(problem);
  });

  test.each<[string, object, string]>([
    ['of a change', {}, 'http: target, idempotency, preview and check are for what changes something'],
    [
      'a method that changes',
      { method: 'DELETE' },
      'http.method: DELETE changes something; write the risk low or high',
    ],
    ['the id', { headers: { a: '{id}' } }, 'http.headers.a: has the part {id}'],
  ])('%s in a read', (_what, changes, problem) => {
    expect(problemsOf(spoilt(changes, { risk: 'read' })).join('\n')).toContain(problem);
  });

  test.each<[string, object, Record<string, string>, string]>([
    [
      'that is missing',
      { env: 'CACHE' },
      {},
      'the secret TOKEN is missing: CACHE is not set; set it (or CACHE_FILE to a file that holds it)',
    ],
    [
      'whose file is missing',
      { file: '/nowhere/token' },
      {},
      'the secret TOKEN names /nowhere/token, which cannot be read',
    ],
    [
      'whose variable names no file',
      { env: 'CACHE' },
      { CACHE_FILE: '/nowhere/token' },
      'CACHE_FILE names /nowhere/token',
    ],
    ['that is empty', { file: empty }, {}, 'the secret TOKEN is empty or not one line of ASCII'],
    [
      'of two lines',
      { env: 'CACHE' },
      { CACHE: 'hidden\nvalue' },
      'the secret TOKEN is empty or not one line of ASCII',
    ],
    ['in a relative file', { file: 'token' }, {}, 'http.secrets.TOKEN'],
  ])('a secret %s', (_what, from, environment, problem) => {
    const problems = problemsOf(spoilt({ secrets: { TOKEN: from } }), environment).join('\n');
    expect(problems).toContain(problem);
    expect(problems).not.toContain('hidden');
  });
});

describe('a service of the policy', () => {
  const known = { operations: ['a'], instances: [], contextProblem: () => undefined };
  const read = (service: object, name = 'cache') =>
    readPolicy(
      JSON.stringify({
        units: { 电商: { environment: 'test', services: { [name]: service } } },
        roles: { r: { members: {}, grants: [{ operations: ['a'], units: '*' }] } },
      }),
      known,
    ).units.电商?.services;

  test.each([
    ['https://cache.internal/base/', 'https://cache.internal/base'],
    ['https://CACHE.internal:443', 'https://cache.internal'],
    ['http://127.0.0.1:8084/shop', 'http://127.0.0.1:8084/shop'],
    ['http://[::1]:80/', 'http://[::1]'],
  ])('has the address %s', (url, address) => {
    expect(read({ url })).toEqual({ cache: { url: address } });
  });

  test.each<[string, object, string]>([
    [
      'http to another machine',
      { url: 'http://cache.internal' },
      'services.cache.url: must be https: plain http is for loopback only',
    ],
    ['a login', { url: 'https://a:b@cache.internal' }, 'must be a plain address, without a login or query'],
    ['a query', { url: 'https://cache.internal/?a=b' }, 'must be a plain address, without a login or query'],
    ['no address', { url: 'cache.internal' }, 'must be an address that begins with https://'],
    [
      'no file of authorities',
      { url: 'https://a', ca: '/nowhere/ca.pem' },
      'services.cache.ca: names /nowhere/ca.pem, which cannot be read',
    ],
    ['a file of something else', { url: 'https://a', ca: empty }, 'which holds no certificate in PEM'],
  ])('is refused with %s', (_what, service, problem) => {
    expect(() => read(service)).toThrow(problem);
  });
});
