import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { channels } from '../../src/contract/principal.ts';
import { type OpsHarness, openOpsHarness, type Replica } from '../ops/ops-harness.ts';

/** Two who write by another channel; WeCom has a member of the name of the first. */
const NAMESAKE = 'pigeon/default/zhangsan';
const ANNA = 'pigeon/loft/Anna';

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  // As ARCHITECTURE.md has one add a channel. Capitals count here.
  Object.assign(channels, { pigeon: (user: string) => (/^[A-Za-z]+$/.test(user) ? user : undefined) });
  const policy = readFileSync('deploy/policy.yaml', 'utf8');
  harness = await openOpsHarness({
    policy: policy.replace('[zhangsan]', `[zhangsan, ${NAMESAKE}, ${ANNA}]`),
  });
  ops = await harness.startReplica();
});
afterAll(async () => {
  await harness.stop();
  Reflect.deleteProperty(channels, 'pigeon');
});

test('how an operation ended reaches no member of WeCom who has the name: it waits, and says for what', async () => {
  for (const user of [NAMESAKE, ANNA, 'zhangsan']) {
    await ops.as(user).change('k8s.restart', { unit: '电商', namespace: 'shop', name: 'web' });
  }
  for (let rounds = 0; rounds < 2; rounds += 1) {
    harness.clock.pass(15_001);
    await ops.sweep();
  }
  const waiting = { state: 'waiting', problem: 'Nothing sends to users of the channel "pigeon".' };
  const rows = await harness.sql('select user, state, problem from outbox order by seq');
  expect(rows).toEqual([
    { user: NAMESAKE, ...waiting },
    { user: ANNA, ...waiting },
    { user: 'zhangsan', state: 'sent', problem: null },
  ]);
  expect(harness.push.attempts.map(({ to }) => to.users)).toEqual([['zhangsan']]);
  expect(await ops.metrics()).toMatch(/keypad_ops_outbox_total\{result="away"\} [1-9]/);
});

test('token, policy and audit take a user as the channel writes it', async () => {
  const ask = (user: string) => ops.as(user).post('k8s.deployments.list', { unit: '电商' });
  expect(await ask(ANNA)).toMatchObject({ state: 'done' });
  expect(await ask(ANNA.toLowerCase())).toMatchObject({ state: 'refused', reason: 'policy' });
  const last = await harness.sql('select user, outcome from audit order by seq desc limit 2');
  expect(last).toEqual([
    { user: ANNA.toLowerCase(), outcome: 'denied' },
    { user: ANNA, outcome: 'done' },
  ]);
});
