import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { waitingForLocks } from '../delivery/delivery-harness.ts';
import { openCampaignHarness, users } from './campaign-harness.ts';

let harness: Awaited<ReturnType<typeof openCampaignHarness>>;
beforeEach(async () => {
  harness = await openCampaignHarness();
});
afterEach(async () => {
  vi.restoreAllMocks();
  expect(harness.errors).toEqual([]);
  await harness.close();
});

/** From now on no rest of the loop of campaigns ends by itself; resolves once it rests. */
async function holdRests(start: () => void): Promise<void> {
  const { setTimeout: begin } = globalThis;
  let rests = 0;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms = 0) => {
    if (ms !== 5000) return begin(work, ms);
    rests += 1;
    return begin(() => {}, 0);
  }) as typeof setTimeout);
  start();
  await expect.poll(() => rests).toBe(1);
}

test.each([
  [
    'made to start at once',
    async (of: Handed['of']) => void (await harness.make({ start: true }, users(3), { of })),
  ],
  [
    'started later',
    async (of: Handed['of']) => {
      const { body } = await harness.make({}, users(3), { of });
      await harness.ask(`POST /campaigns/${body.id}/start`, { of });
    },
  ],
])('a campaign that is %s does not wait for the next look', async (_what, order) => {
  const campaigns = harness.replica();
  await holdRests(campaigns.start);
  await order(campaigns);
  await expect.poll(() => harness.inserted.length).toBe(1);
  await campaigns.close();
});

interface Handed {
  readonly of: ReturnType<Awaited<ReturnType<typeof openCampaignHarness>>['replica']>;
}

test('an order to a campaign waits for the slice that is being handed out at that moment, and both are done', async () => {
  const { body } = await harness.make({ start: true }, users(3000));
  const isHanding = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { insert } = harness.parts.messageQueue;
  const replica = harness.replica({
    messageQueue: {
      wake: () => {},
      async insert(tx, messages) {
        isHanding.resolve();
        await goOn.promise;
        return insert(tx, messages);
      },
    },
  });
  const swept = replica.sweep();
  await isHanding.promise;
  const ordered = harness.ask(`POST /campaigns/${body.id}/pause`);
  await waitingForLocks(harness.db).toBe(1);
  goOn.resolve();
  expect(await swept).toBe(true);
  expect(await ordered).toMatchObject({ status: 200, body: { state: 'paused' } });
  await replica.close();
});
