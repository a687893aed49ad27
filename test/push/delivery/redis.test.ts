import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../../demo/servers/private-process.ts';
import { startRedisServer } from '../../../demo/servers/redis-server.ts';
import { eventually, flush, textTo, useStage } from './office.ts';

const stage = useStage();

test('what Redis has lost is swept up: nothing is missing, nothing comes twice', async () => {
  const office = stage.start();
  stage.weCom.script = () => new Promise((resolve) => setTimeout(() => resolve(undefined), 20));
  const all = await Promise.all(
    Array.from({ length: 300 }, (_, i) => office.accept(textTo(`u${i % 100}`, `${i}`))),
  );
  await eventually(() => stage.weCom.sent.length).toBeGreaterThan(20);
  await flush(stage.redis.url);
  await Promise.all(all.map(async ({ id }) => expect(await office.finished(id, 25_000)).toBe(true)));
  expect(stage.weCom.sent).toHaveLength(300);
});

test('without Redis messages are accepted, and sent when it is back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-redis-'));
  const port = await freePort();
  let redis = await startRedisServer({ directory, port });
  const office = stage.start({ redisUrl: redis.url });
  try {
    await stage.send(office, textTo('anna', 'before'));
    await redis.stop();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => office.accept(textTo(`u${i}`, 'meanwhile'))),
    );
    expect(stage.weCom.sent).toHaveLength(1);
    redis = await startRedisServer({ directory, port });
    await Promise.all(all.map(async ({ id }) => expect(await office.finished(id, 25_000)).toBe(true)));
    expect(stage.weCom.sent).toHaveLength(21);
  } finally {
    await office.close();
    await redis.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a replica that starts finds everything that waits, however many lines', async () => {
  const writer = stage.open();
  const users = Array.from({ length: 2500 }, (_, i) => `u${i}`);
  await Promise.all(users.map((user) => writer.accept(textTo(user, 'hello', { lane: 'bulk' }))));
  await flush(stage.redis.url);
  await writer.sweepAll();
  const counts = await Promise.all(writer.queues.map((queue) => queue.getWaitingCount()));
  expect(counts).toEqual([0, 0, 2500]);
  await writer.sweepAll();
  expect(await writer.queues[2]?.getWaitingCount()).toBe(2500);
});
