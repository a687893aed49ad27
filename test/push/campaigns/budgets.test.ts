import { afterEach, beforeEach, expect, test } from 'vitest';
import { dayOf } from '../../../src/push/queue/limits.ts';
import { requeue } from '../../../src/push/queue/recall-store.ts';
import { handedOut, openCampaignHarness, users } from './campaign-harness.ts';

let harness: Awaited<ReturnType<typeof openCampaignHarness>>;
beforeEach(async () => {
  harness = await openCampaignHarness();
});
afterEach(async () => {
  expect(harness.errors).toEqual([]);
  await harness.close();
});

const started = async (count: number, head: object): Promise<string> =>
  (await harness.make({ start: true, ...head }, users(count))).body.id;

test('no 60 s ever see more than perMinute receivers, also of two replicas, and all are reached', async () => {
  const id = await started(95, { perMinute: 30 });
  const other = harness.replica();
  const ended: number[] = [];
  for (let second = 0; second < 600 && ended.length < 95; second += 1) {
    harness.clock.at += 1000;
    await Promise.all([harness.campaigns.sweep(), other.sweep()]);
    // Some come late: they count until a minute after their end.
    const delivered = second % 7 === 0 ? await harness.deliver(11) : 0;
    ended.push(...Array<number>(delivered).fill(harness.clock.at));
  }
  const most = Math.max(
    ...ended.map((at) => ended.filter((each) => each > at - 60_000 && each <= at).length),
  );
  expect(most).toBeLessThanOrEqual(30);
  expect(most).toBeGreaterThan(20);
  await harness.campaigns.sweep();
  expect(await harness.look(id)).toMatchObject({ state: 'done', progress: { sent: 95 } });
});

test('somebody slow costs a budget of one, not that of the whole slice', async () => {
  await started(40, { perMinute: 20 });
  await harness.campaigns.sweep();
  await harness.deliver(19);
  harness.clock.at += 60_001;
  await harness.campaigns.sweep();
  expect((await handedOut(harness.db)).size).toBe(39);
});

test('perDay begins anew at midnight in Shanghai, and counts what was handed out before and came after', async () => {
  harness.clock.at = Date.parse('2026-11-23T23:50:00+08:00');
  await started(100, { perDay: 30 });
  const rounds = async () => {
    for (let round = 0; round < 3; round += 1) await harness.campaigns.sweep();
    return (await handedOut(harness.db)).size;
  };
  expect(await rounds()).toBe(30);
  await harness.deliver(20);
  harness.clock.at = Date.parse('2026-11-23T23:59:59+08:00');
  expect(await rounds()).toBe(30);
  harness.clock.at = Date.parse('2026-11-24T00:00:01+08:00');
  expect(await rounds()).toBe(50);
  await harness.deliver(30);
  expect(await rounds()).toBe(50);
  harness.clock.at = Date.parse('2026-11-25T00:00:01+08:00');
  expect(await rounds()).toBe(80);
});

test('a day is one of Shanghai', () => {
  const midnight = Date.parse('2026-11-24T00:00:00+08:00');
  expect(dayOf(midnight).beginsAt).toBe(midnight);
  expect(dayOf(midnight - 1).beginsAt).toBe(midnight - 86_400_000);
});

test('what is sent again counts again, from then until a minute after its end', async () => {
  await started(60, { perMinute: 30 });
  await harness.campaigns.sweep();
  await harness.deliver(30, 'failed', '60011');
  await harness.campaigns.sweep();
  harness.clock.at += 60_001;
  const [messageId = ''] = harness.inserted;
  expect(await requeue(harness.db, 'shop', messageId)).toBe(30);
  await harness.campaigns.sweep();
  expect((await handedOut(harness.db)).size).toBe(30);
  await harness.deliver(30);
  harness.clock.at += 59_999;
  await harness.campaigns.sweep();
  expect((await handedOut(harness.db)).size).toBe(30);
  harness.clock.at += 1;
  await harness.campaigns.sweep();
  expect((await handedOut(harness.db)).size).toBe(60);
});

test('what a pause takes back gives its budget back', async () => {
  const id = await started(100, { perMinute: 30, perDay: 40 });
  await harness.campaigns.sweep();
  await harness.ask(`POST /campaigns/${id}/pause`);
  await harness.ask(`POST /campaigns/${id}/resume`);
  await harness.campaigns.sweep();
  expect((await harness.look(id)).progress).toMatchObject({ queued: 30, waiting: 70 });
});
