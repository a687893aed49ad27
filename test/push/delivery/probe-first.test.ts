import { expect, test } from 'vitest';
import { createBreaker } from '../../../src/push/accounts/breaker.ts';
import { createPause } from '../../../src/push/accounts/pause.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, sendingAccount, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const HOUR_MS = 3_600_000;

/** Gates of an account that WeCom refuses, or does not answer, on a clock that stands still until it is moved on. */
function gatesOf(kind: 'pause' | 'breaker') {
  // In the past of the database, so that nothing that is put off waits for long.
  let time = Date.now() - 2 * HOUR_MS;
  const now = () => time;
  const pause = createPause({ now, random: () => 0, firstMs: 100, onChange: () => {} });
  const breaker = createBreaker({ now, onChange: () => {} });
  return {
    gates: { pause, breaker },
    problem: new WeComError('message/send', kind === 'pause' ? 60020 : -1, 'as scripted'),
    isShut: () => (kind === 'pause' ? pause.state() !== null : breaker.state() === 'open'),
    letTimePass() {
      time += HOUR_MS;
    },
  };
}

test.each([
  ['a pause', 'pause'],
  ['its circuit breaker was open', 'breaker'],
] as const)('the first call of an account after %s is an alert, if one waits', async (_, kind) => {
  for (let round = 0; round < 8; round += 1) {
    const { gates, problem, isShut, letTimePass } = gatesOf(kind);
    let isRefused = true;
    harness.weCom.script = () => {
      if (isRefused) throw problem;
      return undefined;
    };
    const replica = harness.start({ ...gates });
    const earlier = ['a', 'b', 'c', 'd', 'e', 'f'].map((user) => textTo(user, 'normal'));
    const ids: string[] = [];
    for (const message of earlier) ids.push((await replica.accept(message)).id);
    await eventually(isShut).toBe(true);
    for (const lane of ['bulk', 'normal', 'alert'] as const)
      ids.push((await replica.accept(textTo('zoe', lane, { lane }))).id);
    const before = harness.weCom.sent.length;
    isRefused = false;
    letTimePass();
    await harness.db.updateTable('deliveries').set({ due_at: 1 }).where('state', '=', 'queued').execute();
    await harness.db.updateTable('delivery_lines').set({ due_at: 1 }).where('owner', 'is', null).execute();
    await eventually(() => harness.weCom.sent.length).toBeGreaterThan(before);
    expect(harness.weCom.sent[before]?.message.body.content, `round ${round}`).toBe('alert');
    for (const id of ids) expect(await replica.finished(id, 15_000)).toBe(true);
    await replica.close();
  }
});

test('while an alert is made ready, no other lane takes the one call of an account that may be back', async () => {
  const { gates, problem, isShut, letTimePass } = gatesOf('breaker');
  let isRefused = true;
  harness.weCom.script = () => {
    if (isRefused) throw problem;
    return undefined;
  };
  const ready = Promise.withResolvers<void>();
  const looked: string[] = [];
  const prepared: string[] = [];
  const account = sendingAccount({ messenger: harness.weCom.messenger, ...gates });
  const replica = harness.start({
    accounts: {
      find(name) {
        looked.push(name);
        return account;
      },
    },
    isDisabled: async (app) => {
      if (!isRefused) prepared.push(app);
      if (app === 'alarms') await ready.promise;
      return false;
    },
  });
  for (const user of ['a', 'b', 'c', 'd', 'e']) await replica.accept(textTo(user, 'normal'));
  await eventually(isShut).toBe(true);
  isRefused = false;
  const alert = await replica.accept(textTo('zoe', 'alert', { app: 'alarms', lane: 'alert' }));
  const before = harness.weCom.sent.length;
  letTimePass();
  await harness.db.updateTable('deliveries').set({ due_at: 1 }).where('state', '=', 'queued').execute();
  await harness.db.updateTable('delivery_lines').set({ due_at: 1 }).where('owner', 'is', null).execute();
  await eventually(() => prepared).toContain('alarms');
  // Whoever looks now has more than one look for it.
  const { length } = looked;
  await eventually(() => looked.length).toBeGreaterThan(length + 40);
  expect(prepared).toEqual(['alarms']);
  ready.resolve();
  expect(await replica.finished(alert.id, 10_000)).toBe(true);
  expect(harness.weCom.sent[before]?.message.body.content).toBe('alert');
});
