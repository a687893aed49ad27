import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
});
afterAll(() => harness.stop());

const web = { unit: '电商', namespace: 'shop', name: 'web' };

describe('scaling a deployment', () => {
  test('shows before → after, asks for what the risk demands, and says what became of it', async () => {
    const zhangsan = ops.as('zhangsan');
    const input = { ...web, replicas: 3 };
    const shown = await zhangsan.preview('k8s.scale', input);
    expect(shown).toMatchObject({ risk: 'low', lines: ['电商 · shop/web', '副本 2 → 3', '当前就绪 2/2'] });
    expect(shown.code).toBeUndefined();

    expect(await zhangsan.run('k8s.scale', input, shown)).toEqual({
      state: 'done',
      text: 'web：2 → 3，3 个就绪',
    });
    expect(harness.cluster.get('deployments', 'shop', 'web')?.spec.replicas).toBe(3);
  });

  test('asks for a code when it stops everything, and says that it has', async () => {
    const input = { ...web, name: 'cart', replicas: 0 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    expect(shown).toMatchObject({ risk: 'high', code: expect.stringMatching(/^\d{4}$/) });
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown, shown.code)).toEqual({
      state: 'done',
      text: 'cart：3 → 0，已全部停止',
    });
  });

  test('warns when an autoscaler controls the replicas', async () => {
    const { lines } = await ops
      .as('zhangsan')
      .preview('k8s.scale', { ...web, name: 'api-gateway', replicas: 5 });
    expect(lines).toContain('注意：副本数由 HPA api-gateway 控制（2–10），改动可能被它改回');
  });

  test('to what it is already is refused', async () => {
    expect(
      await ops.as('zhangsan').post('k8s.scale/preview', { ...web, name: 'order', replicas: 4 }),
    ).toMatchObject({
      state: 'refused',
      reason: 'input',
      message: 'order 的副本数已经是 4，不用改',
    });
  });

  test('that is not there is refused', async () => {
    expect(
      await ops.as('zhangsan').post('k8s.scale/preview', { ...web, name: 'nothing', replicas: 4 }),
    ).toMatchObject({
      reason: 'missing',
    });
  });

  test('that was changed since the preview is refused with the fresh state, which can be confirmed', async () => {
    const input = { ...web, name: 'catalog', replicas: 4 };
    const shown = await ops.as('zhangsan').preview('k8s.scale', input);
    harness.cluster.scale('shop', 'catalog', 5);
    await until(
      async () => harness.cluster.get('deployments', 'shop', 'catalog')?.status.readyReplicas === 5,
    );
    const moved = await ops.as('zhangsan').run('k8s.scale', input, shown);
    expect(moved).toMatchObject({ state: 'refused', reason: 'moved' });
    expect(harness.cluster.get('deployments', 'shop', 'catalog')?.spec.replicas).toBe(5);

    const fresh = moved.state === 'refused' ? moved.preview : undefined;
    expect(fresh?.lines).toContain('副本 5 → 4');
    if (fresh === undefined) throw new Error('no fresh preview');
    expect(await ops.as('zhangsan').run('k8s.scale', input, fresh)).toMatchObject({
      text: 'catalog：5 → 4，4 个就绪',
    });
  });
});
