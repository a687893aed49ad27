import { afterAll, expect, test } from 'vitest';
import { createCluster } from '../../../demo/cluster/cluster.ts';
import { deployment, smallSeed, token } from './cluster-harness.ts';

const cluster = createCluster({ token, seed: smallSeed });
cluster.hold();
afterAll(() => cluster.stop());

const url = '/apis/apps/v1/namespaces/shop/deployments';
const headers = { authorization: `Bearer ${token}` };

interface Answer {
  readonly code?: number;
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items?: readonly { readonly metadata: { readonly name: string } }[];
}

async function list(query: Readonly<Record<string, string>>): Promise<Answer> {
  return (await cluster.app.inject({ url, query: { ...query }, headers })).json();
}
const names = ({ items = [] }: Answer) => items.map(({ metadata }) => metadata.name);

test('the pages of a list are of one moment, whatever is written between them', async () => {
  const first = await list({ limit: '1' });
  expect(names(first)).toEqual(['broken']);
  expect(first.metadata.remainingItemCount).toBe(2);
  cluster.set('deployments', deployment('between', 1));
  const { continue: token = '' } = first.metadata;
  const rest = await list({ limit: '5', continue: token });
  expect(names(rest)).toEqual(['cart', 'web']);
  expect(rest.metadata.continue).toBeUndefined();
  expect(names(await list({}))).toContain('between');
});

test('a token whose moment is forgotten is expired, and its own token goes on with what is there now', async () => {
  const { metadata } = await list({ limit: '1' });
  for (let n = 0; n < 4100; n++) cluster.scale('shop', 'web', 2 + (n % 2));
  const late = await list({ limit: '1', continue: metadata.continue ?? '' });
  expect(late.code).toBe(410);
  expect(names(await list({ continue: late.metadata.continue ?? '' }))).toContain('web');
});

test.each([
  [{ continue: 'x' }, 400],
  [{ resourceVersionMatch: 'Exact' }, 422],
  [{ resourceVersion: '999999999999' }, 504],
  [{ resourceVersion: '1', resourceVersionMatch: 'Exact' }, 410],
])('a list with %j is refused', async (query, code) => {
  expect((await list(query as Record<string, string>)).code).toBe(code);
});

test('a field that the kind does not have is refused, warned of, or left out, as the client wants', async () => {
  const write = (fieldValidation: string, spec: object) =>
    cluster.app.inject({
      method: 'PATCH',
      url: `${url}/cart`,
      query: { fieldValidation },
      headers: { ...headers, 'content-type': 'application/merge-patch+json' },
      payload: JSON.stringify({ spec }),
    });
  const strict = await write('Strict', { replica: 3 });
  expect([strict.statusCode, strict.json().message]).toEqual([
    422,
    ' "" is invalid: patch: Invalid value: strict decoding error: unknown field "spec.replica"',
  ]);
  const warned = await write('Warn', { replica: 3 });
  expect(warned.headers.warning).toContain('spec.replica');
  expect(warned.json().spec).not.toHaveProperty('replica');
  expect((await write('Ignore', { replica: 3 })).headers.warning).toBeUndefined();
  expect((await write('Ignore', { replicas: '3' })).json().message).toContain('spec.replicas is a string');
});

test('the OpenAPI documents hold every kind, and what their fields refer to', async () => {
  const get = async (path: string) => (await cluster.app.inject({ url: path, headers })).body;
  const text = await get('/openapi/v2');
  const { definitions } = JSON.parse(text);
  const references = [...text.matchAll(/"#\/definitions\/([^"]+)"/g)].map(([, name]) => name);
  expect(references.filter((name) => !Object.hasOwn(definitions, name ?? ''))).toEqual([]);
  expect(references.length).toBeGreaterThan(100);
  const { paths } = JSON.parse(await get('/openapi/v3'));
  const apps = JSON.parse(await get(paths['apis/apps/v1'].serverRelativeURL));
  const patch = apps.paths[`/apis/apps/v1/namespaces/{namespace}/deployments/{name}`].patch;
  expect(patch.parameters.map((each: { name: string }) => each.name)).toContain('fieldValidation');
});
