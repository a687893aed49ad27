import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSecret } from '../../src/config.ts';
import { verifyConsoleLink } from '../../src/contract/console-link.ts';
import { type OpsHarness, openOpsHarness, type Replica } from './ops-harness.ts';

const KEY = 'the console key of the tests, long enough';
let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica({
    consoleUrl: 'https://push.internal:9083',
    consoleKey: createSecret(KEY),
  });
});
afterAll(() => harness.stop());

const ask = (replica: Replica, user: string) => replica.as(user).post('push.console', { unit: '电商' });

test('an admin gets a link of their own, with its token behind the #, and each time another', async () => {
  const first = await ops.as('wangwu').read('push.console', { unit: '电商' });
  const [address = '', token = ''] = first.url.split('#');
  expect([address, first.minutes]).toEqual(['https://push.internal:9083/console/login', 5]);
  const now = harness.clock.now();
  const link = await verifyConsoleLink(KEY, token, now);
  expect(link.user).toBe('wangwu');
  expect(link.expiresAt - now).toBeLessThanOrEqual(300_000);
  await expect(verifyConsoleLink(KEY, token, link.expiresAt)).rejects.toMatchObject({ reason: 'expired' });
  const second = await ops.as('wangwu').read('push.console', { unit: '电商' });
  expect((await verifyConsoleLink(KEY, second.url.split('#')[1] ?? '', now)).id).not.toBe(link.id);
});

test('nobody else gets one, and every attempt is in the audit, without the link', async () => {
  for (const user of ['zhangsan', 'lisi', 'mallory']) {
    expect(await ask(ops, user)).toMatchObject({ state: 'refused', reason: 'policy' });
  }
  const rows = await harness.sql("select user, outcome from audit where operation = 'push.console'");
  expect(rows).toEqual(
    expect.arrayContaining([
      { user: 'wangwu', outcome: 'done' },
      { user: 'lisi', outcome: 'denied' },
    ]),
  );
  expect(JSON.stringify(await harness.sql('select * from audit'))).not.toContain('eyJ');
});

test('where there is no queue view, one sentence says so', async () => {
  const without = await harness.startReplica();
  expect(await ask(without, 'wangwu')).toMatchObject({
    state: 'refused',
    message: '没有配置控制台，请联系运维负责人',
  });
});
