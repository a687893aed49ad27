import { afterAll, expect, test } from 'vitest';
import { createCluster } from '../../../demo/cluster/cluster.ts';
import { deployment, smallSeed, token } from './cluster-harness.ts';

const cluster = createCluster({ token, seed: smallSeed });
afterAll(() => cluster.stop());

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
type Request = readonly [
  method: Method,
  url: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
];

/** Sends a request; a body that is no text goes as JSON, a patch as a merge patch. */
async function ask([method, url, body, headers = {}]: Request): Promise<{ code: number; body: unknown }> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await cluster.app.inject({
    method,
    url,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { code: answer.statusCode, body: answer.json() };
}

const deployments = '/apis/apps/v1/namespaces/shop/deployments';
const web = `${deployments}/web`;
const pods = '/api/v1/namespaces/shop/pods';
const accessReviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const rulesReviews = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
const stored = deployment('web', 1);
const as = (apiVersion: string, kind: string) => ({ ...stored, apiVersion, kind });
const named = (name: string, more: object = {}) => ({ ...stored, metadata: { name, ...more } });
const notServed =
  'the server does not allow this method on the requested resource: this cluster does not serve';

test.each<[why: string, request: Request, code: number, reason: string, message: string]>([
  [
    'an object of another kind',
    ['POST', deployments, as('apps/v1', 'ReplicaSet')],
    400,
    'BadRequest',
    'ReplicaSet in version "v1" cannot be handled as a Deployment: converting (v1.ReplicaSet) to (apps.Deployment): unknown conversion',
  ],
  [
    'an object of a kind that there is not',
    ['POST', deployments, as('apps/v1', 'Foo')],
    400,
    'BadRequest',
    'Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "apps/v1" in this cluster',
  ],
  [
    'an object of another version',
    ['PUT', web, as('extensions/v1beta1', 'Deployment')],
    400,
    'BadRequest',
    'Deployment in version "v1beta1" cannot be handled as a Deployment: no kind "Deployment" is registered for version "extensions/v1beta1" in this cluster',
  ],
  [
    'a deployment among pods',
    ['POST', pods, as('apps/v1', 'Deployment')],
    400,
    'BadRequest',
    'Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion',
  ],
  [
    'a deployment as a scale',
    ['PUT', `${web}/scale`, as('apps/v1', 'Deployment')],
    400,
    'BadRequest',
    'Deployment in version "v1" cannot be handled as a Scale: converting (v1.Deployment) to (autoscaling.Scale): unknown conversion',
  ],
  [
    'a patch to another kind',
    ['PATCH', web, { kind: 'Foo' }],
    422,
    'Invalid',
    ' "" is invalid: patch: Invalid value: Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "apps/v1" in this cluster',
  ],
  [
    'a patch that makes a value of another type',
    ['PATCH', web, { spec: { replicas: 'one' } }],
    422,
    'Invalid',
    ' "" is invalid: patch: Invalid value: Deployment in version "v1" cannot be handled as a Deployment: the field spec.replicas is a string, not a number',
  ],
  [
    'a patch of the name',
    ['PATCH', web, { metadata: { name: 'x' } }],
    400,
    'BadRequest',
    'the name of the object (x) does not match the name on the URL (web)',
  ],
  [
    'an object without its name',
    ['PUT', web, { spec: stored.spec }],
    400,
    'BadRequest',
    'the name of the object (web based on URL) was undeterminable: name must be provided',
  ],
  ...(['POST', 'PUT'] as const).map((method): [string, Request, number, string, string] => [
    `an object of another namespace in a ${method}`,
    [method, method === 'PUT' ? web : deployments, named('web', { namespace: 'pay' })],
    400,
    'BadRequest',
    'the namespace of the provided object does not match the namespace sent on the request',
  ]),
  [
    'a label that is none',
    ['POST', deployments, named('x', { labels: { a: 'b c' } })],
    422,
    'Invalid',
    'Deployment.apps "x" is invalid: metadata.labels: a valid label must be',
  ],
  [
    'a label whose name is none',
    ['POST', deployments, named('x', { labels: { 'a b': 'c' } })],
    422,
    'Invalid',
    'Deployment.apps "x" is invalid: metadata.labels: a name has at most 63',
  ],
  [
    'a patch that is forced',
    ['PATCH', `${web}?force=true`, {}],
    422,
    'Invalid',
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
  [
    'a deletion with an unknown policy',
    ['DELETE', web, { propagationPolicy: 'Odd' }],
    422,
    'Invalid',
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Odd"',
  ],
  [
    'a deletion that sends an object',
    ['DELETE', web, as('apps/v1', 'Deployment')],
    400,
    'BadRequest',
    'the body of a DELETE must be of type DeleteOptions, not Deployment',
  ],
  [
    'a scale of another name',
    ['PUT', `${web}/scale`, { metadata: { name: 'x' }, spec: { replicas: 1 } }],
    400,
    'BadRequest',
    'the name of the object (x) does not match the name on the URL (web)',
  ],
  [
    'a scale without its name',
    ['PUT', `${web}/scale`, { spec: { replicas: 1 } }],
    400,
    'BadRequest',
    'the name of the object (web based on URL) was undeterminable: name must be provided',
  ],
  [
    'a form that this server cannot write',
    ['GET', web, undefined, { accept: 'application/vnd.kubernetes.protobuf' }],
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json',
  ],
  [
    'a body that this server cannot read',
    ['POST', deployments, 'x', { 'content-type': 'text/plain' }],
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json',
  ],
  [
    'a resource that is not served',
    ['GET', '/apis/apps/v1/namespaces/shop/daemonsets'],
    404,
    'NotFound',
    'the server could not find the requested resource',
  ],
  [
    'a subresource that is not served',
    ['POST', `${pods}/x/eviction`, {}],
    404,
    'NotFound',
    'the server could not find the requested resource',
  ],
  ...(
    [
      ['POST', web],
      ['PUT', deployments],
      ['DELETE', `${deployments}?labelSelector=a`],
      ['DELETE', '/api/v1/namespaces/shop'],
      ['OPTIONS', web],
      ['DELETE', `${pods}/x/log`],
      ['POST', '/version'],
      ['GET', rulesReviews],
    ] as const
  ).map(([method, url]): [string, Request, number, string, string] => [
    `${method} ${url}`,
    [method, url],
    405,
    'MethodNotAllowed',
    `${notServed} ${method} ${url.split('?')[0]}`,
  ]),
  [
    'a question about nothing',
    ['POST', accessReviews, {}],
    422,
    'Invalid',
    '.authorization.k8s.io "" is invalid: spec.resourceAttributes: exactly one of',
  ],
  [
    'another question than the URL',
    ['POST', accessReviews, { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectReview' }],
    400,
    'BadRequest',
    'SelfSubjectReview in version "v1" cannot be handled as a SelfSubjectAccessReview',
  ],
  [
    'rules of no namespace',
    ['POST', rulesReviews, { spec: {} }],
    400,
    'BadRequest',
    'no namespace on request',
  ],
  [
    'a namespace that could be no label',
    ['POST', '/api/v1/namespaces', { metadata: { name: 'a.b' } }],
    422,
    'Invalid',
    'Namespace "a.b" is invalid: metadata.name: must not contain dots',
  ],
])('%s is refused', async (_, request, code, reason, message) => {
  const before = cluster.get('deployments', 'shop', 'web');
  const answer = await ask(request);
  const said = expect.stringContaining(message);
  const status = { kind: 'Status', status: 'Failure', code, reason, message: said };
  expect(answer).toMatchObject({ code, body: status });
  expect(cluster.get('deployments', 'shop', 'web')).toBe(before);
  expect(cluster.list('deployments')).toHaveLength(3);
});

test('an object that does not say what it is, is what the URL says, and may be YAML', async () => {
  const yaml = `metadata: { name: written }\nspec: ${JSON.stringify(stored.spec)}`;
  const url = `${deployments}?dryRun=All`;
  expect(await ask(['POST', url, yaml, { 'content-type': 'application/yaml' }])).toMatchObject({
    code: 201,
    body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'written' } },
  });
});

test('a body without a type is JSON', async () => {
  const body = JSON.stringify(named('untyped'));
  const untyped = { 'content-type': '' };
  expect(await ask(['POST', `${deployments}?dryRun=All`, body, untyped])).toMatchObject({ code: 201 });
  expect(await ask(['PATCH', web, '{}', untyped])).toMatchObject({ code: 415 });
});

test('every group that is served is among the groups, and each is described', async () => {
  const { body } = await ask(['GET', '/apis']);
  const { groups } = body as { groups: { name: string; preferredVersion: { groupVersion: string } }[] };
  expect(groups.map(({ name }) => name)).toEqual([
    'apps',
    'batch',
    'autoscaling',
    'authorization.k8s.io',
    'authentication.k8s.io',
  ]);
  for (const { name, preferredVersion } of groups) {
    expect(await ask(['GET', `/apis/${name}`])).toMatchObject({
      code: 200,
      body: { kind: 'APIGroup', name },
    });
    const list = await ask(['GET', `/apis/${preferredVersion.groupVersion}`]);
    expect(list.body).toMatchObject({ resources: expect.arrayContaining([expect.anything()]) });
  }
});

test('the token may do everything, and says so in rules', async () => {
  expect(await ask(['POST', rulesReviews, { spec: { namespace: 'shop' } }])).toMatchObject({
    code: 201,
    body: {
      kind: 'SelfSubjectRulesReview',
      status: { resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], incomplete: false },
    },
  });
});

test('a namespace that was made is active, and things can be made in it', async () => {
  expect(await ask(['POST', '/api/v1/namespaces', { metadata: { name: 'made' } }])).toMatchObject({
    code: 201,
    body: {
      metadata: { labels: { 'kubernetes.io/metadata.name': 'made' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
  });
  const url = deployments.replace('/shop/', '/made/');
  expect(await ask(['POST', `${url}?dryRun=All`, named('web')])).toMatchObject({ code: 201 });
});
