import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica } from './ops-harness.ts';

const demo = readFileSync('deploy/policy.yaml', 'utf8');
const withLimit = (replicas: number) => demo.replace('replicas: 50', `replicas: ${replicas}`);
const withoutLimits = demo.replace(/^ *limits:\n *replicas: 50\n/m, '');

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness({ policy: withLimit(3) });
  ops = await harness.startReplica();
});
afterAll(() => harness.stop());

const order = { unit: '电商', namespace: 'shop', name: 'order' };
const replicasNow = () => harness.cluster.get('deployments', 'shop', 'order')?.spec.replicas;

async function usePolicy(text: string): Promise<void> {
  writeFileSync(harness.policyFile, text);
  await ops.reload();
}

describe('the replicas that a unit allows', () => {
  test('are held at the preview, whoever asks, in a sentence that names the limit and a row of the audit', async () => {
    expect(replicasNow()).toBe(4);
    expect(await ops.as('wangwu').post('k8s.scale/preview', { ...order, replicas: 5 })).toEqual({
      state: 'refused',
      reason: 'policy',
      message: '「电商」的部署最多 3 个副本，要更多请联系运维负责人',
    });
    const [row] = await harness.sql('select outcome, reason from audit order by seq desc limit 1');
    expect(row).toEqual({
      outcome: 'denied',
      reason: expect.stringContaining('policy: 「电商」的部署最多 3'),
    });
  });

  test('do not keep anybody from scaling down, also to more than they are', async () => {
    await usePolicy(withLimit(2));
    expect(await ops.as('zhangsan').change('k8s.scale', { ...order, replicas: 3 })).toMatchObject({
      state: 'done',
    });
    expect(replicasNow()).toBe(3);
  });

  test('are held again right before the effect: a policy that became stricter since the preview counts', async () => {
    await usePolicy(withLimit(10));
    const input = { ...order, replicas: 10 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    await usePolicy(withLimit(9));
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown, shown.code)).toMatchObject({
      state: 'refused',
      reason: 'policy',
      message: expect.stringContaining('最多 9 个副本'),
    });
    expect(replicasNow()).toBe(3);
    const [row] = await harness.sql('select outcome, reason from audit order by seq desc limit 1');
    expect(row).toEqual({ outcome: 'cancelled', reason: 'policy' });
  });

  test('are 50 where the policy names none', async () => {
    await usePolicy(withoutLimits);
    const ask = (replicas: number) => ops.as('zhangsan').post('k8s.scale/preview', { ...order, replicas });
    expect(await ask(51)).toMatchObject({ state: 'refused', reason: 'policy' });
    expect(await ask(50)).toMatchObject({ state: 'preview' });
  });

  test.each([0, 1001, '50'])('cannot be %j', async (replicas) => {
    await usePolicy(withLimit(2));
    await usePolicy(demo.replace('replicas: 50', `replicas: ${JSON.stringify(replicas)}`));
    const asked = await ops.as('zhangsan').post('k8s.scale/preview', { ...order, replicas: 4 });
    expect(asked).toMatchObject({ message: expect.stringContaining('最多 2 个副本') });
  });
});
