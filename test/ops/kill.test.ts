import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, until } from './ops-harness.ts';
import { postTo, startOpsProcess } from './ops-process.ts';

// A replica of an earlier test, whose clock is ahead, would take over what the next one leaves behind.
let harness: OpsHarness;
beforeEach(async () => {
  harness = await openOpsHarness();
});
afterEach(() => harness.stop());

/** A process takes a second to start, and fifteen where much else runs. */
const TIME = { timeout: 120_000 };

test(
  'kill -9 in the middle of an operation: it happened once, and the user is told the truth',
  TIME,
  async () => {
    const { url, child } = await startOpsProcess(harness);
    const post = postTo(url);
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
    const { url, child } = await startOpsProcess(harness);
    const post = postTo(url);
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
