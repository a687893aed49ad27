import { afterAll, expect, test } from 'vitest';
import { createCluster } from '../../../demo/cluster/cluster.ts';
import { deployment, smallSeed, token } from './cluster-harness.ts';

const cluster = createCluster({ token, seed: smallSeed });
cluster.hold();
afterAll(() => cluster.stop());

const collection = '/apis/apps/v1/namespaces/shop/deployments';

interface Answer {
  readonly code: number;
  readonly body: {
    readonly reason?: string;
    readonly message?: string;
    readonly details?: { readonly causes?: readonly unknown[] };
  };
}

/** Applies a configuration, given as YAML or as an object, under a name. */
async function apply(name: string, configuration: unknown, query: string): Promise<Answer> {
  const answer = await cluster.app.inject({
    method: 'PATCH',
    url: `${collection}/${name}?${query}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/apply-patch+yaml' },
    payload: typeof configuration === 'string' ? configuration : JSON.stringify(configuration),
  });
  return { code: answer.statusCode, body: answer.json() };
}

const head = { apiVersion: 'apps/v1', kind: 'Deployment' };

/** A configuration of containers, by name, and whatever else of the spec. */
function configured(
  name: string,
  containers: Readonly<Record<string, object>>,
  spec: object = {},
): Readonly<Record<string, unknown>> {
  const list = Object.entries(containers).map(([each, more]) => ({
    name: each,
    image: `${each}:1`,
    ...more,
  }));
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: list } };
  return { ...head, metadata: { name }, spec: { selector: { matchLabels: labels }, template, ...spec } };
}

const stored = (name: string) => cluster.get('deployments', 'shop', name);
const containersOf = (name: string) => stored(name)?.spec.template.spec.containers;

/** Who owns the count of pods, in the order of the entries. */
function ownersOfReplicas(name: string): readonly string[] {
  const entries = stored(name)?.metadata.managedFields ?? [];
  const owning = entries.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('"f:replicas"'));
  return owning.map(({ manager, operation }) => `${manager} ${operation}`);
}

test('what is not there is made, from YAML, and its manager owns what it names and nothing else', async () => {
  const made = await apply(
    'made',
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: made, labels: { team: a } }
spec:
  selector: { matchLabels: { app: made } }
  template:
    metadata: { labels: { app: made } }
    spec: { containers: [{ name: made, image: "made:1", ports: [{ containerPort: 80 }] }] }
`,
    'fieldManager=gitops',
  );
  expect(made).toMatchObject({ code: 201, body: { spec: { replicas: 1, revisionHistoryLimit: 10 } } });
  expect(stored('made')?.metadata.managedFields).toEqual([
    {
      manager: 'gitops',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: expect.any(String),
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { 'f:team': {} } },
        'f:spec': {
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"made"}': {
                  'f:name': {},
                  'f:image': {},
                  'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { 'f:containerPort': {} } },
                },
              },
            },
          },
        },
      },
    },
  ]);
});

test('applying the same again writes nothing, not even a version', async () => {
  const same = configured('same', { a: {} });
  expect((await apply('same', same, 'fieldManager=a')).code).toBe(201);
  const before = stored('same');
  expect((await apply('same', same, 'fieldManager=a')).code).toBe(200);
  expect(stored('same')).toBe(before);
  await apply('same', same, 'fieldManager=b');
  expect(stored('same')?.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['a', 'b']);
});

test('a value of another manager is a conflict that names manager and field; nothing is changed', async () => {
  cluster.set('deployments', deployment('held', 2));
  const before = stored('held');
  const conflict = await apply('held', { ...head, spec: { replicas: 5 } }, 'fieldManager=gitops');
  const owner = 'conflict with "hand" using apps/v1';
  expect(conflict).toMatchObject({
    code: 409,
    body: {
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "hand" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: owner, field: '.spec.replicas' }] },
    },
  });
  expect(stored('held')).toBe(before);

  const containers = [{ name: 'held', image: 'other:1' }];
  const two = { replicas: 5, template: { spec: { containers } } };
  const { body } = await apply('held', { ...head, spec: two }, 'fieldManager=gitops');
  expect(body.message).toBe(
    'Apply failed with 2 conflicts: conflicts with "hand" using apps/v1:\n- .spec.replicas\n' +
      '- .spec.template.spec.containers[name="held"].image',
  );
});

test('the same value is shared, and a forced one is taken away from its owner', async () => {
  cluster.set('deployments', deployment('shared', 2));
  const wants = (replicas: number) => ({ ...head, spec: { replicas } });
  expect((await apply('shared', wants(2), 'fieldManager=one')).code).toBe(200);
  expect((await apply('shared', wants(2), 'fieldManager=two')).code).toBe(200);
  expect(ownersOfReplicas('shared')).toEqual(['one Apply', 'two Apply', 'hand Update']);
  expect(await apply('shared', wants(3), 'fieldManager=one')).toMatchObject({ code: 409 });
  expect((await apply('shared', wants(3), 'fieldManager=one&force=true')).code).toBe(200);
  expect(ownersOfReplicas('shared')).toEqual(['one Apply']);
});

test('a manager that updates is another one than the same that applies', async () => {
  cluster.set('deployments', deployment('twofold', 2));
  expect((await apply('twofold', { ...head, spec: { replicas: 3 } }, 'fieldManager=hand')).code).toBe(409);
  await apply('twofold', { ...head, spec: { replicas: 2 } }, 'fieldManager=hand');
  expect(ownersOfReplicas('twofold')).toEqual(['hand Apply', 'hand Update']);
});

test('what is named no more goes, unless somebody else owns it or nobody ever applied it', async () => {
  const limits = { resources: { limits: { cpu: '1' } } };
  await apply(
    'less',
    configured('less', { a: limits, b: {} }, { replicas: 3, paused: true }),
    'fieldManager=a',
  );
  await apply('less', { ...head, spec: { replicas: 3 } }, 'fieldManager=b');
  const other = { ...head, spec: { template: { spec: { containers: [{ name: 'c', image: 'c:1' }] } } } };
  await apply('less', other, 'fieldManager=b2');
  await apply('less', configured('less', { a: {} }), 'fieldManager=a');
  expect(containersOf('less')).toEqual([
    { name: 'a', image: 'a:1' },
    { name: 'c', image: 'c:1' },
  ]);
  expect(stored('less')?.spec).toMatchObject({ replicas: 3, revisionHistoryLimit: 10 });
  expect(stored('less')?.spec.paused).toBeUndefined();
});

test('an item in which somebody else owns a field keeps that field and its name', async () => {
  const env = (...names: readonly string[]) => ({ env: names.map((name) => ({ name, value: '1' })) });
  await apply(
    'held-item',
    configured('held-item', { a: env('A', 'B'), b: { command: ['x'] } }),
    'fieldManager=a',
  );
  const ofB = { name: 'b', image: 'b:1' };
  await apply(
    'held-item',
    { ...head, spec: { template: { spec: { containers: [ofB] } } } },
    'fieldManager=b',
  );
  await apply('held-item', configured('held-item', { a: env('B') }), 'fieldManager=a');
  expect(containersOf('held-item')).toEqual([{ name: 'a', image: 'a:1', ...env('B') }, ofB]);
});

test('ports of one number and two protocols are two', async () => {
  const ports = [
    { containerPort: 53, protocol: 'UDP', name: 'u' },
    { containerPort: 53, name: 't' },
  ];
  await apply('dns', configured('dns', { a: { ports } }), 'fieldManager=a');
  expect(containersOf('dns')?.[0]).toMatchObject({ ports });
  await apply('dns', configured('dns', { a: { ports: ports.slice(1) } }), 'fieldManager=a');
  expect(containersOf('dns')?.[0]).toMatchObject({ ports: ports.slice(1) });
});

test('items come in the order of the configuration, and those of others near to where they were', async () => {
  await apply('ordered', configured('ordered', { a: {}, b: {} }), 'fieldManager=a');
  const containers = [{ name: 'x', image: 'x:1' }];
  await apply('ordered', { ...head, spec: { template: { spec: { containers } } } }, 'fieldManager=x');
  await apply('ordered', configured('ordered', { b: {}, a: {}, c: {} }), 'fieldManager=a');
  expect(containersOf('ordered')?.map(({ name }) => name)).toEqual(['b', 'x', 'a', 'c']);
});

test('a rehearsal tells what would be, also that it would be made', async () => {
  const rehearsal = await apply('rehearsed', configured('rehearsed', { a: {} }), 'fieldManager=a&dryRun=All');
  expect(rehearsal).toMatchObject({ code: 201, body: { metadata: { name: 'rehearsed' } } });
  expect(stored('rehearsed')).toBeUndefined();
});

test('a manager whose entry was cleared by a client owns nothing any more', async () => {
  await apply('cleared', configured('cleared', { a: {} }), 'fieldManager=a');
  const answer = await cluster.app.inject({
    method: 'PATCH',
    url: `${collection}/cleared`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' },
    payload: { metadata: { managedFields: [{}] } },
  });
  expect(answer.json().metadata.managedFields ?? []).toEqual([]);
  expect((await apply('cleared', { ...head, spec: { replicas: 4 } }, 'fieldManager=b')).code).toBe(200);
});

const good = configured('web', { web: {} });
const named = 'fieldManager=x';
const twice = [1, 2].map((port) => ({ name: 'web', image: `web:${port}` }));

test.each<[why: string, configuration: unknown, query: string, code: number, says: string]>([
  ['no manager', good, '', 422, 'fieldManager: Required value: is required for apply patch'],
  [
    'owners of its own',
    { ...good, metadata: { managedFields: [{}] } },
    named,
    400,
    'metadata.managedFields must be nil',
  ],
  ['another name', { ...good, metadata: { name: 'other' } }, named, 400, 'name of the object (other)'],
  [
    'another namespace',
    { ...good, metadata: { namespace: 'pay' } },
    named,
    400,
    'namespace of the provided object',
  ],
  ['a field that there is not', { ...head, spec: { replica: 1 } }, named, 400, '"spec.replica"'],
  ['a value of another type', { ...head, spec: { replicas: 'one' } }, named, 400, 'spec.replicas'],
  [
    'two items of one name',
    { ...head, spec: { template: { spec: { containers: twice } } } },
    named,
    400,
    'duplicate',
  ],
  ['no YAML', 'a: [', named, 400, 'error decoding YAML'],
  ['no object', '- a', named, 400, 'unrecognized'],
  ['no kind', { metadata: { name: 'web' } }, named, 400, 'invalid object type: /, Kind='],
  ['another kind', { ...good, kind: 'Pod' }, named, 400, 'invalid object type: apps/v1, Kind=Pod'],
  ['a version that is old', { ...head, metadata: { resourceVersion: '1' } }, named, 409, 'has been modified'],
])('a configuration with %s is refused', async (_, configuration, query, code, says) => {
  const before = stored('web');
  const refused = await apply('web', configuration, query);
  expect(refused).toMatchObject({ code, body: { kind: 'Status', message: expect.stringContaining(says) } });
  expect(stored('web')).toBe(before);
});
