import { X509Certificate } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { createCluster, startCluster } from '../../../demo/cluster/cluster.ts';
import { smallSeed, token } from './cluster-harness.ts';

const cluster = createCluster({ token, seed: smallSeed });
afterAll(() => cluster.stop());

const web = '/apis/apps/v1/namespaces/shop/deployments/web';
const merge = 'application/merge-patch+json';

interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url?: string;
  readonly authorization?: string | undefined;
  readonly type?: string;
  readonly body?: string;
}

async function ask(request: Request): Promise<{ readonly code: number; readonly body: unknown }> {
  const { method = 'GET', url = web, type, body } = request;
  const authorization = 'authorization' in request ? request.authorization : `Bearer ${token}`;
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(type === undefined ? {} : { 'content-type': type }),
  };
  const answer = await cluster.app.inject({
    method,
    url,
    headers,
    ...(body === undefined ? {} : { payload: body }),
  });
  return { code: answer.statusCode, body: answer.json() };
}

test.each<[why: string, request: Request, code: number, reason: string]>([
  ['no token', { authorization: undefined }, 401, 'Unauthorized'],
  ['another token', { authorization: 'Bearer other' }, 401, 'Unauthorized'],
  ['the token with more behind it', { authorization: `Bearer ${token}x` }, 401, 'Unauthorized'],
  ['the token without its scheme', { authorization: token }, 401, 'Unauthorized'],
  ['no token at discovery', { authorization: undefined, url: '/version' }, 401, 'Unauthorized'],
  ['no token at a path that is not there', { authorization: undefined, url: '/x' }, 401, 'Unauthorized'],
  ['a path that is not there', { url: '/apis/batch/v1/cronjobs' }, 404, 'NotFound'],
  ['a deployment that is not there', { url: `${web}x` }, 404, 'NotFound'],
  [
    'a namespace that cannot be deleted',
    { method: 'DELETE', url: '/api/v1/namespaces/shop' },
    405,
    'MethodNotAllowed',
  ],
  [
    'a deletion of everything',
    { method: 'DELETE', url: '/api/v1/namespaces/shop/pods' },
    405,
    'MethodNotAllowed',
  ],
  ['a broken body', { method: 'PATCH', type: merge, body: '{' }, 400, 'BadRequest'],
  [
    'a body that reaches for the prototype',
    { method: 'PATCH', type: merge, body: '{"__proto__":{}}' },
    400,
    'BadRequest',
  ],
  ['a body that is no object', { method: 'PATCH', type: merge, body: '[]' }, 400, 'BadRequest'],
  [
    'a patch of no known type',
    { method: 'PATCH', type: 'application/json', body: '{}' },
    415,
    'UnsupportedMediaType',
  ],
  [
    'server-side apply of a status',
    { method: 'PATCH', url: `${web}/status`, type: 'application/apply-patch+yaml', body: 'a: b' },
    415,
    'UnsupportedMediaType',
  ],
  [
    'a body over 1 MiB',
    { method: 'PATCH', type: merge, body: ' '.repeat(1024 * 1024 + 1) },
    413,
    'RequestEntityTooLarge',
  ],
  [
    'another selector',
    { method: 'PATCH', type: merge, body: '{"spec":{"selector":{"matchLabels":{"app":"x"}}}}' },
    422,
    'Invalid',
  ],
  ['another name', { method: 'PATCH', type: merge, body: '{"metadata":{"name":"x"}}' }, 400, 'BadRequest'],
  ['another uid', { method: 'PATCH', type: merge, body: '{"metadata":{"uid":"x"}}' }, 422, 'Invalid'],
  [
    'half a pod',
    { method: 'PATCH', type: merge, url: `${web}/scale`, body: '{"spec":{"replicas":1.5}}' },
    422,
    'Invalid',
  ],
  [
    'less than no pods',
    { method: 'PATCH', type: merge, url: `${web}/scale`, body: '{"spec":{"replicas":-1}}' },
    422,
    'Invalid',
  ],
  [
    'the uid of another one',
    { method: 'PUT', type: 'application/json', body: '{"metadata":{"name":"web","uid":"x"}}' },
    409,
    'Conflict',
  ],
  [
    'a deletion that means another one',
    { method: 'DELETE', type: 'application/json', body: '{"preconditions":{"uid":"x"}}' },
    409,
    'Conflict',
  ],
  ['a selector nobody can read', { url: '/api/v1/pods?labelSelector=a%20in' }, 400, 'BadRequest'],
  ['a field that cannot be selected', { url: '/api/v1/pods?fieldSelector=spec.x%3D1' }, 400, 'BadRequest'],
  ['a streaming list', { url: '/api/v1/pods?watch=1&sendInitialEvents=true' }, 422, 'Invalid'],
])('%s is refused', async (_, request, code, reason) => {
  const before = cluster.get('deployments', 'shop', 'web');
  const answer = await ask(request);
  expect(answer).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code, reason } });
  expect(cluster.get('deployments', 'shop', 'web')).toBe(before);
});

test('the certificate is for loopback only, and for now', () => {
  const certificate = new X509Certificate(cluster.cert);
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
  expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now());
});

test('a port that is taken is an error, and the cluster that wanted it is gone', async () => {
  const first = await startCluster({ port: 0, token, seed: smallSeed });
  const port = Number(new URL(first.url).port);
  await expect(startCluster({ port, token, seed: smallSeed })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await first.stop();
});
