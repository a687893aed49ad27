import { afterEach, expect, test } from 'vitest';
import type { NewMessage, Receiver } from '../../../src/push/content/message.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { createLimits } from '../../../src/push/delivery/limits.ts';
import { createRedis, type Redis } from '../../../src/server/redis.ts';
import { type DeliveryReplica, eventually, useDeliveryHarness } from './delivery-harness.ts';
import { mostWithin } from './limits-harness.ts';

/** The limits of a minute, with a minute of this many ms. Real minutes: test/push/role/minute.test.ts. */
const MINUTE_MS = 1500;
const harness = useDeliveryHarness();
const connections: Redis[] = [];
afterEach(() => {
  for (const each of connections.splice(0)) each.disconnect();
});

/** Two replicas that share the limits in Redis. */
async function openReplicas(): Promise<readonly [DeliveryReplica, DeliveryReplica]> {
  const open = async () => {
    const redis = createRedis(harness.redis.url);
    connections.push(redis);
    await redis.ping();
    const limits = createLimits({
      redis,
      db: harness.db,
      account: 'default',
      key: '1000002',
      accountLimit: () => 500,
      minuteMs: MINUTE_MS,
      now: Date.now,
      newId,
      onLost: () => {},
    });
    await limits.take('bulk', []);
    return harness.start({ limits, sweepMs: 100 });
  };
  return [await open(), await open()];
}

const message = (receiver: Receiver, text: string, more: Partial<NewMessage> = {}): NewMessage => ({
  ...{ app: 'ci', lane: 'normal', content: { text }, receivers: [{ receiver }], requestHash: 'a'.repeat(64) },
  ...more,
});

/** Hands them in one after the other, at the replicas in turns; answers their texts. */
async function acceptAll(
  replicas: readonly [DeliveryReplica, DeliveryReplica],
  { count, receiver }: { readonly count: number; readonly receiver: Receiver },
): Promise<readonly string[]> {
  const texts = Array.from({ length: count }, (_, number) => `${number}`);
  for (const [number, text] of texts.entries()) {
    await replicas[number % 2 === 0 ? 0 : 1].accept(message(receiver, text));
  }
  return texts;
}

test.each([
  ['user:busy', 40, 30],
  ['robot:ops', 25, 20],
] as const)(
  'two replicas send %s of %i messages only %i in a minute, then the others in order',
  async (receiver, count, most) => {
    const times: number[] = [];
    harness.weCom.script = () => void times.push(Date.now());
    const texts = await acceptAll(await openReplicas(), { count, receiver });
    const reached = receiver === 'robot:ops' ? 'robot:robot-key' : receiver;
    await eventually(() => harness.weCom.textsTo(reached)).toEqual(texts);
    expect(mostWithin(times, MINUTE_MS)).toBeLessThanOrEqual(most);
  },
);

test('two replicas keep the next turn for an alert, whatever came before it, and each lane in order', async () => {
  const replicas = await openReplicas();
  await acceptAll(replicas, { count: 20, receiver: 'robot:ops' });
  await eventually(() => harness.weCom.sent.length).toBe(20);
  for (const lane of ['bulk', 'normal', 'alert'] as const) {
    await replicas[0].accept(message('robot:ops', `${lane} 1`, { lane }));
    await replicas[1].accept(message('robot:ops', `${lane} 2`, { lane }));
  }
  await eventually(() => harness.weCom.sent.length).toBe(26);
  const after = harness.weCom.textsTo('robot:robot-key').slice(20);
  expect(after[0]).toBe('alert 1');
  for (const lane of ['bulk', 'normal', 'alert']) {
    expect(after.filter((text) => `${text}`.startsWith(lane))).toEqual([`${lane} 1`, `${lane} 2`]);
  }
});
