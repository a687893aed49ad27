import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../../demo/servers/private-process.ts';
import { startRedisServer } from '../../../demo/servers/redis-server.ts';
import { eventually, flush, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

test('what Redis has lost is swept up: nothing is missing, nothing comes twice', async () => {
  const replica = harness.start();
  harness.weCom.script = () => new Promise((resolve) => setTimeout(() => resolve(undefined), 20));
  const all = await Promise.all(
    Array.from({ length: 300 }, (_, i) => replica.accept(textTo(`u${i % 100}`, `${i}`))),
  );
  await eventually(() => harness.weCom.sent.length).toBeGreaterThan(20);
  await flush(harness.redis.url);
  await Promise.all(all.map(async ({ id }) => expect(await replica.finished(id, 25_000)).toBe(true)));
  expect(harness.weCom.sent).toHaveLength(300);
});

test('without Redis messages are accepted, and sent when it is back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-redis-'));
  const port = await freePort();
  let redis = await startRedisServer({ directory, port });
  const replica = harness.start({ redisUrl: redis.url });
  try {
    await harness.send(replica, textTo('anna', 'before'));
    await redis.stop();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => replica.accept(textTo(`u${i}`, 'meanwhile'))),
    );
    expect(harness.weCom.sent).toHaveLength(1);
    redis = await startRedisServer({ directory, port });
    await Promise.all(all.map(async ({ id }) => expect(await replica.finished(id, 25_000)).toBe(true)));
    expect(harness.weCom.sent).toHaveLength(21);
  } finally {
    await replica.close();
    await redis.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a replica that starts finds everything that waits, however many lines', async () => {
  const writer = harness.open();
  const users = Array.from({ length: 2500 }, (_, i) => `u${i}`);
  await Promise.all(users.map((user) => writer.accept(textTo(user, 'hello', { lane: 'bulk' }))));
  await flush(harness.redis.url);
  await writer.sweepAll();
  const counts = await Promise.all(writer.queues.map((queue) => queue.getWaitingCount()));
  expect(counts).toEqual([0, 0, 2500]);
  await writer.sweepAll();
  expect(await writer.queues[2]?.getWaitingCount()).toBe(2500);
});
