import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { clusterOf } from '../../operations/k8s/_cluster.ts';
import type { Attempt } from '../../src/ops/audit/audit.ts';
import { openDatabase } from '../../src/ops/database.ts';
import { createCodeTries } from '../../src/ops/engine/code-tries.ts';
import { createRunner } from '../../src/ops/engine/runner.ts';
import { createOperationStore, type OperationStore } from '../../src/ops/engine/store.ts';
import { createWatcher } from '../../src/ops/engine/watcher.ts';
import { openConnections } from '../../src/ops/kubeconfig/connections.ts';
import type { ChangeOperation, Context } from '../../src/ops/operations/operation.ts';
import { openCluster } from '../../src/ops/targets/cluster.ts';
import { type OpsHarness, openOpsHarness, type Replica, recordsOf, until } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
});
afterAll(() => harness.stop());

const input = { unit: '电商', namespace: 'shop', name: 'web' };
const web = () => harness.cluster.get('deployments', 'shop', 'web');
const replicas = () => web()?.spec.replicas;

/** Previews a scale and leaves it as a replica leaves it that dies right after having confirmed it. */
async function abandoned(name: 'k8s.scale' | 'k8s.restart', state: 'started' | 'applied', to: number) {
  const asked = name === 'k8s.scale' ? { ...input, replicas: to } : input;
  const { id } = await ops.as('wangwu').preview(name, asked as never);
  await harness.abandon(id, state);
  return id;
}

/** The cluster as a replica has it. */
async function directly() {
  const nothing = () => {};
  const connections = await openConnections({
    kubeconfig: `${harness.directory}/kubeconfig`,
    environment: {},
    clock: harness.clock,
    inUse: () => [],
    events: { accepted: nothing, refused: nothing, onError: nothing },
  });
  const cluster = openCluster({ name: 'demo', connections, onFailure: nothing })(['shop']);
  return clusterOf({ cluster: () => ({ cluster }) } as never, '电商').cluster;
}

/** What the dead replica did to the cluster before it died, or what arrives there later than that. */
async function patched(
  id: string,
  spec: Record<string, unknown>,
  subresource: 'scale' | 'deployment' = 'scale',
  resourceVersion = web()?.metadata.resourceVersion ?? '',
) {
  const cluster = await directly();
  const to = { id, namespace: 'shop', name: 'web', resourceVersion };
  await (subresource === 'scale' ? cluster.patchScale(to, spec) : cluster.patchDeployment(to, spec));
}

/** How the operation ended, as its user was told. */
async function told(id: string) {
  const { to, text } = await harness.told(id);
  const [row] = await harness.sql('select state from operations where id = ?', [id]);
  return { user: to.users[0], text, state: row?.state };
}

describe('after a crash', () => {
  beforeEach(async () => {
    harness.cluster.scale('shop', 'web', 2);
    await until(async () => harness.cluster.get('deployments', 'shop', 'web')?.status.readyReplicas === 2);
  });

  test('a running operation is left alone until its lease ends', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    harness.clock.pass(14_000);
    await ops.sweep();
    const [row] = await harness.sql('select state from operations where id = ?', [id]);
    expect(row).toEqual({ state: 'started' });
  });

  test('between confirmation and effect the user is told that nothing happened, and it never will', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({
      user: 'wangwu',
      state: 'failed',
      text: expect.stringContaining('没有执行'),
    });
    expect(replicas()).toBe(2);
    const [row] = await harness.sql('select state, hash from operations where id = ?', [id]);
    expect(
      await ops.as('wangwu').run('k8s.scale', { ...input, replicas: 3 }, { id, hash: String(row?.hash) }),
    ).toMatchObject({ reason: 'used' });
  });

  test.each([
    ['k8s.scale', { replicas: 3 }, 'scale'],
    ['k8s.restart', { template: { metadata: { annotations: { late: 'yes' } } } }, 'deployment'],
  ] as const)('the write of a %s that arrives after that is refused', async (name, spec, subresource) => {
    const id = await abandoned(name, 'started', 3);
    const resourceVersion = web()?.metadata.resourceVersion ?? '';
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({ state: 'failed', text: expect.stringContaining('没有执行') });
    const before = web()?.spec;
    await expect(patched(id, spec, subresource, resourceVersion)).rejects.toThrow('刚刚被改动过');
    expect(web()?.spec).toEqual(before);
  });

  test('a write that arrives while it is being found out is found', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    const resourceVersion = web()?.metadata.resourceVersion ?? '';
    harness.clock.pass(20_000);
    const arrival = harness.cluster.app.server;
    const arrive = new Promise<void>((resolve, reject) => {
      arrival.once('request', () => {
        patched(id, { replicas: 3 }, 'scale', resourceVersion).then(resolve, reject);
      });
    });
    const [, late] = await Promise.allSettled([ops.sweep(), arrive]);
    const { state, text } = await told(id);
    expect({ state, isNo: text.includes('没有执行'), replicas: replicas() }).toEqual(
      late.status === 'fulfilled'
        ? { state: 'done', isNo: false, replicas: 3 }
        : { state: 'failed', isNo: true, replicas: 2 },
    );
  });

  test('what was fenced stays so when the replica that did it dies too', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    const cluster = await directly();
    await cluster.fence({
      id,
      namespace: 'shop',
      name: 'web',
      resourceVersion: web()?.metadata.resourceVersion ?? '',
    });
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({ state: 'failed', text: expect.stringContaining('没有执行') });
  });

  test('two that were abandoned on one object are found out apart', async () => {
    const ids = [await abandoned('k8s.scale', 'started', 3), await abandoned('k8s.restart', 'started', 0)];
    harness.clock.pass(20_000);
    await ops.sweep();
    for (const id of ids) expect(await told(id)).toMatchObject({ state: 'failed' });
  });

  test('an ordered stop does not hurry what may still be on its way', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    const [row] = await harness.sql('select lease_owner from operations where id = ?', [id]);
    const db = openDatabase(harness.mysqlUrl);
    await createOperationStore(recordsOf(db), String(row?.lease_owner), () => {}).release();
    await db.destroy();
    await ops.sweep();
    const [left] = await harness.sql('select state from operations where id = ?', [id]);
    expect(left).toEqual({ state: 'started' });
  });

  test('between effect and record the operation is found to be done', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    await patched(id, { replicas: 3 });
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({ state: 'done', text: 'web：2 → 3，3 个就绪' });
  });

  test('while it is watched it is watched to its end', async () => {
    const id = await abandoned('k8s.scale', 'applied', 3);
    await patched(id, { replicas: 3 });
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({ state: 'done', text: 'web：2 → 3，3 个就绪' });
  });

  test('it is unknown what happened when somebody else changed the object meanwhile', async () => {
    const id = await abandoned('k8s.scale', 'started', 3);
    harness.cluster.scale('shop', 'web', 4);
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('现在的副本数是 4'),
    });
  });

  test('a restart is recognized by the mark that it leaves', async () => {
    const id = await abandoned('k8s.restart', 'started', 0);
    const annotations = { 'keypad/operation': id };
    await patched(id, { template: { metadata: { annotations } } }, 'deployment');
    harness.clock.pass(20_000);
    await ops.sweep();
    expect(await told(id)).toMatchObject({ state: 'done', text: 'web：已重启，2 个就绪' });
  });

  test('two replicas take an operation up once', async () => {
    const second = await harness.startReplica();
    const id = await abandoned('k8s.scale', 'started', 3);
    harness.clock.pass(20_000);
    await Promise.all([ops.sweep(), second.sweep()]);
    await told(id);
    const rows = await harness.sql(
      "select outcome from audit where outcome = 'failed' and hash = (select hash from operations where id = ?)",
      [id],
    );
    expect(rows).toHaveLength(1);
  });

  test('an ordered stop hands what is watched to another replica at once', async () => {
    const leaving = await harness.startReplica();
    harness.cluster.hold();
    const target = { ...input, replicas: 3 };
    const shown = await leaving.as('wangwu').preview('k8s.scale', target);
    expect(await leaving.as('wangwu').run('k8s.scale', target, shown)).toMatchObject({ state: 'accepted' });
    await leaving.close();
    harness.cluster.release();
    await ops.sweep();
    expect(await told(shown.id)).toMatchObject({ state: 'done', text: 'web：2 → 3，3 个就绪' });
  });
});

describe('right before the effect', () => {
  let store: OperationStore;
  /** Another replica's. */
  let rival: OperationStore;
  const db = () => openDatabase(harness.mysqlUrl);
  const databases: ReturnType<typeof db>[] = [];
  beforeAll(() => {
    const opened = db();
    databases.push(opened);
    store = createOperationStore(recordsOf(opened), randomUUID(), () => {});
    rival = createOperationStore(recordsOf(opened), randomUUID(), () => {});
  });
  afterAll(() => Promise.all(databases.map((each) => each.destroy())));

  /** A runner whose change only counts; `onAllowed` happens when its `allowed` row is being written. */
  function counting(
    onAllowed: () => Promise<void>,
    onObserved?: () => Promise<void>,
    onLook: () => void = () => undefined,
  ) {
    const applied: string[] = [];
    const recorded: string[] = [];
    let looks = 0;
    const implementation: ChangeOperation = {
      kind: 'change',
      title: '重启部署',
      input: z.unknown(),
      inspect: async () => ({
        target: 'shop/web',
        lines: ['x'],
        risk: 'low',
        before: null,
        after: null,
        version: 'v',
      }),
      apply: async (_context, { id }, checkTime) => {
        onLook();
        checkTime();
        applied.push(id);
      },
      submitted: () => 'submitted',
      async observe() {
        await onObserved?.();
        looks += 1;
        return { final: onObserved === undefined || looks > 1, text: 'done' };
      },
      reconcile: async () => ({ effect: 'never' }),
    };
    const attempt: Attempt = {
      // Far ahead, so that the answer waits for the end of watching.
      startedAt: harness.clock.now() + 1_000_000,
      note: () => undefined,
      record: async (outcome) => {
        recorded.push(outcome);
        if (outcome === 'allowed') await onAllowed();
      },
    };
    const [opened] = databases as [ReturnType<typeof db>];
    const codeTries = createCodeTries(opened);
    const parts = { store, codeTries, clock: harness.clock, report: () => undefined };
    const runner = createRunner({
      ...parts,
      watcher: createWatcher(parts),
      audit: { isBroken: () => false },
    });
    const context = { user: 'wangwu' } as unknown as Context;
    const run = async () => {
      const asked = {
        name: 'k8s.restart',
        definition: 'd',
        implementation,
        input,
        context,
        attempt,
      } as const;
      const answered = await runner.preview(asked);
      if (answered.state !== 'preview') throw new Error(answered.state);
      const { id, hash } = answered.preview;
      return { id, answer: await runner.run(asked, { id, hash, code: null }) };
    };
    return { applied, recorded, run };
  }

  test('a replica in time acts', async () => {
    const { applied, run } = counting(async () => undefined);
    expect((await run()).answer).toEqual({ state: 'done', text: 'done' });
    expect(applied).toHaveLength(1);
  });

  test('a replica that was stopped for longer than its lease acts no more', async () => {
    const { applied, run } = counting(async () => harness.clock.pass(16_000));
    expect((await run()).answer).toMatchObject({ state: 'accepted' });
    expect(applied).toEqual([]);
  });

  test('a replica that was stopped while it looked at the object acts no more', async () => {
    const stopped = () => harness.clock.pass(6000);
    const { applied, run } = counting(async () => undefined, undefined, stopped);
    const { id, answer } = await run();
    expect(answer).toMatchObject({ state: 'accepted' });
    expect(applied).toEqual([]);
    expect(await store.find(id)).toMatchObject({ state: 'started' });
  });

  test('a replica whose operation was taken over acts no more', async () => {
    const { applied, run } = counting(async () => {
      await rival.takeOver(harness.clock.now() + 32_000);
    });
    expect((await run()).answer).toMatchObject({ state: 'accepted' });
    expect(applied).toEqual([]);
  });

  test('what is taken over while it is watched is left to its new owner', async () => {
    const { recorded, run } = counting(
      async () => undefined,
      async () => {
        harness.clock.pass(10_000);
        await rival.takeOver(harness.clock.now() + 32_000);
      },
    );
    const { id, answer } = await run();
    expect(answer).toMatchObject({ state: 'accepted' });
    expect(recorded).not.toContain('done');
    expect(await store.find(id)).toMatchObject({ state: 'applied' });
  });

  test('nothing happens without its row in the audit', async () => {
    const { applied, run } = counting(() => Promise.reject(new Error('the audit is away')));
    await expect(run()).rejects.toThrow('the audit is away');
    expect(applied).toEqual([]);
  });
});
