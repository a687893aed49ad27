import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isLong } from '#test/size.ts';
import { type OpsHarness, openOpsHarness, type Replica } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
let handle: RequestListener;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
  handle = server().listeners('request')[0] as RequestListener;
});
afterAll(() => harness.stop());
afterEach(() => void server().removeAllListeners('request').on('request', handle));

const server = () => harness.cluster.app.server;
const web = { unit: '电商', namespace: 'shop', name: 'web' };
const cart = { ...web, name: 'cart' };
const found = (name: string) => {
  const deployment = harness.cluster.get('deployments', 'shop', name);
  if (deployment === undefined) throw new Error(`no ${name}`);
  return deployment;
};

/** A pod of the deployment becomes ready or not: only the status is another one. */
let flaps = 0;
function flap(name: string): void {
  const deployment = found(name);
  flaps += 1;
  const condition = { type: 'Flapping', status: 'True', message: `${flaps}` };
  const { conditions = [] } = deployment.status;
  const others = conditions.filter(({ type }) => type !== 'Flapping');
  harness.cluster.set('deployments', {
    ...deployment,
    status: { ...deployment.status, conditions: [...others, condition] },
  });
}

/** Before each of the next writes that reach the cluster, the status of the deployment moves. */
function flapBeforeWrites(name: string, writes: number): { count(): number } {
  let seen = 0;
  server().prependListener('request', ({ method }) => {
    if (method !== 'PATCH') return;
    seen += 1;
    if (seen <= writes) flap(name);
  });
  return { count: () => seen };
}

test.each([
  ['k8s.scale', { ...web, replicas: 3 }, 'web：2 → 3，3 个就绪'],
  ['k8s.restart', cart, 'cart：已重启，3 个就绪'],
] as const)(
  '%s takes place although the status moves after the preview and at each write',
  async (name, input, text) => {
    const shown = await ops.as('zhangsan').preview(name, input);
    flap(input.name);
    const writes = flapBeforeWrites(input.name, 3);
    expect(await ops.as('zhangsan').run(name, input, shown, shown.code)).toEqual({ state: 'done', text });
    expect(writes.count()).toBe(4);
  },
);

test('a status that moves at every write ends in a refusal, and nothing has happened', async () => {
  const input = { ...web, name: 'order', replicas: 5 };
  const shown = await ops.as('zhangsan').preview('k8s.scale', input);
  const writes = flapBeforeWrites('order', 100);
  expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({
    state: 'refused',
    reason: 'moved',
    preview: { lines: expect.arrayContaining(['副本 4 → 5']) },
  });
  expect(writes.count()).toBe(5);
  expect(found('order').spec.replicas).toBe(4);
});

test.each([
  ['its count', () => harness.cluster.scale('shop', 'order', 2)],
  [
    'its image',
    () => {
      const order = found('order');
      const [container] = order.spec.template.spec.containers;
      const spec = { ...order.spec.template.spec, containers: [{ ...container, image: 'shop/order:other' }] };
      const template = { ...order.spec.template, spec };
      harness.cluster.set('deployments', { ...order, spec: { ...order.spec, template } });
    },
  ],
])('another %s than was previewed is refused', async (_, move) => {
  const input = { ...web, name: 'order', replicas: 6 };
  const shown = await ops.as('zhangsan').preview('k8s.scale', input);
  move();
  const moved = await ops.as('zhangsan').run('k8s.scale', input, shown, shown.code);
  expect(moved).toMatchObject({ state: 'refused', reason: 'moved' });
  expect(found('order').spec.replicas).not.toBe(6);
});

test('a write that was sent twice on the way, whose second answer is a conflict, has taken place', async () => {
  const { app } = harness.cluster;
  server()
    .removeAllListeners('request')
    .on('request', async (request, response) => {
      if (request.method !== 'PATCH') return handle(request, response);
      const payload = Buffer.concat(await request.toArray()).toString();
      const again = { method: 'PATCH', url: request.url ?? '', headers: request.headers, payload } as const;
      await app.inject(again);
      const second = await app.inject(again);
      response.writeHead(second.statusCode, { 'content-type': 'application/json' }).end(second.body);
    });
  const shown = await ops.as('zhangsan').preview('k8s.scale', { ...cart, replicas: 4 });
  expect(await ops.as('zhangsan').run('k8s.scale', { ...cart, replicas: 4 }, shown)).toMatchObject({
    state: 'done',
    text: 'cart：3 → 4，4 个就绪',
  });
});

// It waits for the limit of the platform's own request, 3 s each.
describe.runIf(isLong)(
  'a write that is delayed on its way until its user has read that it was not done',
  () => {
    test.each([
      ['k8s.scale', { ...web, name: 'catalog', replicas: 4 }],
      ['k8s.restart', { ...web, name: 'catalog' }],
    ] as const)('%s does nothing when it arrives', async (name, input) => {
      const { app } = harness.cluster;
      let arrive = async () => 0;
      server()
        .removeAllListeners('request')
        .on('request', async (request, response) => {
          if (request.method !== 'PATCH') return handle(request, response);
          const payload = Buffer.concat(await request.toArray()).toString();
          const { url = '', headers } = request;
          arrive = async () => (await app.inject({ method: 'PATCH', url, headers, payload })).statusCode;
        });
      const shown = await ops.as('zhangsan').preview(name, input);
      expect(await ops.as('zhangsan').run(name, input, shown, shown.code)).toMatchObject({
        state: 'accepted',
      });
      server().removeAllListeners('request').on('request', handle);
      const before = found('catalog').spec;
      harness.clock.pass(19_000);
      await ops.sweep();
      expect((await harness.told(shown.id)).text).toContain('没有执行');
      expect(await arrive()).toBe(409);
      expect(found('catalog').spec).toEqual(before);
    });
  },
);
