import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica, signedRequest } from './ops-harness.ts';

const policyFor = (context: string) => `
units:
  shop:
    environment: test
    kubernetes: { context: ${context}, namespaces: [shop] }
roles:
  admin:
    members: { users: [wangwu] }
    grants: [{ operations: ['*'], units: '*', new: allowed }]
`;

let harness: OpsHarness;
let good: string;
beforeAll(async () => {
  harness = await openOpsHarness({ policy: policyFor('demo') });
  good = readFileSync(at('kubeconfig'), 'utf8');
});
afterAll(() => harness.stop());

const at = (name: string): string => join(harness.directory, name);
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text, { mode: 0o600 });
  return at(name);
};
/** Asks for a list under an id, and answers what is said and what was logged under it. */
async function listed(ops: Replica, id: string) {
  const request = await signedRequest(
    'k8s.deployments.list',
    { unit: 'shop' },
    { user: 'wangwu', now: harness.clock.now() },
  );
  const answered = await ops.app.inject({ ...request, headers: { ...request.headers, 'x-keypad-id': id } });
  return {
    answer: answered.json(),
    lines: ops.logged.filter((line) => line.id === id && line.level !== 'info'),
  };
}

test('a cluster that is away is named, and the cause stands in the log under the id of the request', async () => {
  const kubeconfig = write('away', good.replace(harness.cluster.url, 'https://127.0.0.1:1'));
  const ops = await harness.startReplica({ kubeconfig });
  const { answer, lines } = await listed(ops, 'id-of-away');
  expect(answer).toMatchObject({ state: 'failed', message: '集群 demo 连不上，请稍后再试' });
  expect(lines).toMatchObject([{ cluster: 'demo', err: { cause: { message: 'no answer (ECONNREFUSED)' } } }]);
});

test('a plug-in that fails is said in the same way, without its secrets', async () => {
  const secret = 'eyJhbGciOiJSUzI1NiJ9abcdef';
  const login = {
    apiVersion: 'client.authentication.k8s.io/v1',
    interactiveMode: 'Never',
    command: '/bin/echo',
    args: [secret],
  };
  const user = JSON.stringify({ exec: login });
  const ops = await harness.startReplica({
    kubeconfig: write('plugin', good.replace(/user:\n +token: .*/, `user: ${user}`)),
  });
  const { answer, lines } = await listed(ops, 'id-of-plugin');
  expect(answer).toMatchObject({ state: 'failed', message: '集群 demo 的登录凭据拿不到，请联系运维负责人' });
  expect(lines).toMatchObject([
    { err: { cause: { message: 'the plug-in /bin/echo: its answer is no JSON' } } },
  ]);
  expect(JSON.stringify(lines)).not.toContain(secret);
});

test('a broken entry stops the platform only when the policy names it', async () => {
  const broken = `
contexts: [{ name: broken, context: { cluster: demo, user: broken } }]
users: [{ name: broken, user: { username: u, password: p } }]`;
  const kubeconfig = `${at('kubeconfig')}:${write('broken', broken)}`;
  const ops = await harness.startReplica({ kubeconfig });
  expect((await listed(ops, 'id-beside-broken')).answer).toMatchObject({ state: 'done' });
  await expect(
    harness.startReplica({ kubeconfig, policyFile: write('of-broken.yaml', policyFor('broken')) }),
  ).rejects.toThrow(
    /^policy: units\.shop\.kubernetes\.context: KUBECONFIG: .*broken: users: "broken": username, password: is not supported/,
  );
});

test('a bad new kubeconfig is told by log and metrics, and the old one goes on', async () => {
  const kubeconfig = write('changing', good);
  const ops = await harness.startReplica({ kubeconfig });
  writeFileSync(kubeconfig, 'users: [');
  await ops.reload();
  expect(await ops.metrics()).toContain('keypad_reload_refused{what="kubeconfig"} 1');
  expect(ops.logged).toContainEqual(
    expect.objectContaining({ problems: [expect.stringMatching(/^KUBECONFIG: .*changing: is no YAML/)] }),
  );
  expect((await listed(ops, 'id-after-bad')).answer).toMatchObject({ state: 'done' });
  writeFileSync(kubeconfig, good);
  await ops.reload();
  expect(await ops.metrics()).toContain('keypad_reload_refused{what="kubeconfig"} 0');
});

test('a policy that was refused for a missing context counts once the kubeconfig has it', async () => {
  const kubeconfig = write('growing', good);
  const policyFile = write('growing.yaml', policyFor('demo'));
  const ops = await harness.startReplica({ kubeconfig, policyFile });
  writeFileSync(policyFile, policyFor('"1e3"').replace('shop:', 'new:'));
  await ops.reload();
  writeFileSync(kubeconfig, good.replace('name: demo\n    context', 'name: 1e3\n    context'));
  await ops.reload();
  await ops.reload();
  expect(await ops.as('wangwu').read('units.list', {})).toEqual(['new']);
});
