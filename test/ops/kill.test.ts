import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { choosePort } from '../helpers/ports.ts';
import {
  AUDIT_KEY,
  CACHE_TOKEN,
  type OpsHarness,
  openOpsHarness,
  signedRequest,
  until,
  verifyingKeys,
} from './ops-harness.ts';

// A replica of an earlier test, whose clock is ahead, would take over what the next one leaves behind.
let harness: OpsHarness;
beforeEach(async () => {
  harness = await openOpsHarness();
});
afterEach(() => harness.stop());

/** A process takes a second to start, and fifteen where much else runs. */
const TIME = { timeout: 120_000 };

/** A platform in a process of its own, as it runs in production. */
async function startProcess(): Promise<{ url: string; child: ChildProcess }> {
  const [port, internalPort] = [await choosePort(), await choosePort()];
  const keysFile = `${harness.directory}/keys.json`;
  writeFileSync(keysFile, JSON.stringify(verifyingKeys));
  const env = {
    OPS_PORT: String(port),
    OPS_INTERNAL_PORT: String(internalPort),
    OPS_ALLOWED_SOURCES: '127.0.0.1',
    OPS_VERIFYING_KEYS_FILE: keysFile,
    OPS_POLICY_FILE: harness.policyFile,
    MYSQL_URL: harness.mysqlUrl,
    KUBECONFIG: `${harness.directory}/kubeconfig`,
    OPS_MYSQL_TARGETS: JSON.stringify({ 'shop-db': harness.serverUrl, 'pay-db': harness.serverUrl }),
    OPS_AUDIT_KEY: AUDIT_KEY,
    CACHE_TOKEN,
    OPS_PUSH_URL: harness.push.url,
    OPS_PUSH_APP_ID: harness.push.app,
    OPS_PUSH_APP_KEY: harness.push.key,
  };
  const child = spawn(process.execPath, ['src/main.ts', 'ops'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
  const ready = until(() =>
    fetch(`http://127.0.0.1:${internalPort}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return { url: `http://127.0.0.1:${port}`, child };
}

/** Posts to that process as zhangsan. */
function posterTo(base: string) {
  return async (path: string, body: unknown) => {
    const { url, method, headers, payload } = await signedRequest(path, body);
    const response = await fetch(base + url, { method, headers, body: payload });
    return (await response.json()) as { state: string; preview?: { id: string; hash: string } };
  };
}

test(
  'kill -9 in the middle of an operation: it happened once, and the user is told the truth',
  TIME,
  async () => {
    const { url, child } = await startProcess();
    const post = posterTo(url);
    const input = { unit: '电商', namespace: 'shop', name: 'web', replicas: 3 };
    const { preview } = await post('k8s.scale/preview', input);
    harness.cluster.hold();
    const { id, hash } = preview ?? { id: '', hash: '' };
    const answered = post('k8s.scale', { input, preview: { id, hash } }).catch(() => 'lost');
    await until(async () => harness.cluster.get('deployments', 'shop', 'web')?.spec.replicas === 3);
    const generation = harness.cluster.get('deployments', 'shop', 'web')?.metadata.generation;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await answered).toBe('lost');

    harness.cluster.release();
    const next = await harness.startReplica();
    expect(await next.as('zhangsan').acknowledge('operation.settle', { id })).toMatchObject({
      state: 'pending',
    });
    harness.clock.pass(20_000);
    await next.sweep();
    expect(await harness.told(id)).toMatchObject({
      to: { users: ['zhangsan'] },
      text: 'web：2 → 3，3 个就绪',
    });
    expect(harness.cluster.get('deployments', 'shop', 'web')?.metadata.generation).toBe(generation);
  },
);

test(
  'kill -9 with an outcome in the outbox and message delivery away: it is told once when both are back',
  TIME,
  async () => {
    const { url, child } = await startProcess();
    const post = posterTo(url);
    harness.push.script = () => 'hang';
    const input = { unit: '电商', namespace: 'shop', name: 'cart', replicas: 4 };
    const { preview: shown = { id: '', hash: '' } } = await post('k8s.scale/preview', input);
    expect((await post('k8s.scale', { input, preview: { id: shown.id, hash: shown.hash } })).state).toBe(
      'done',
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    harness.clock.pass(61_000);
    const next = await harness.startReplica();
    await next.sweep();
    harness.push.script = () => undefined;
    harness.clock.pass(61_000);
    await next.sweep();
    const said = harness.push.told('zhangsan').filter((text) => text === 'cart：3 → 4，4 个就绪');
    expect(said).toHaveLength(1);
  },
);
