import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { purgeCampaigns, purgeSlices } from '../../../src/push/campaigns/removal-store.ts';
import { purgeMessages } from '../../../src/push/messages/purge-store.ts';
import { openCampaignHarness, users } from './campaign-harness.ts';

let harness: Awaited<ReturnType<typeof openCampaignHarness>>;
beforeAll(async () => {
  harness = await openCampaignHarness();
});
afterAll(() => harness.close());

const tables = ['campaigns', 'campaign_receivers', 'campaign_returned', 'campaign_slices'] as const;
beforeEach(async () => {
  for (const table of [...tables, 'messages', 'deliveries', 'delivery_lines'] as const) {
    await harness.db.deleteFrom(table).execute();
  }
});

/** How many rows there are, in the order of the tables. */
async function left(): Promise<readonly number[]> {
  const counts = tables.map(
    async (table) => (await harness.db.selectFrom(table).selectAll().execute()).length,
  );
  return Promise.all(counts);
}

const DAY_MS = 86_400_000;
const parts = (sleep: () => Promise<unknown> = async () => null, isStopped = () => false) => ({
  db: harness.db,
  before: harness.clock.at - 90 * DAY_MS,
  now: harness.clock.at,
  sleep,
  isStopped,
});

/** Makes one and runs it to its end. */
async function run(count: number, head: object = {}): Promise<string> {
  const { body } = await harness.make({ start: true, ...head }, users(count));
  await harness.campaigns.sweep();
  await harness.deliver(count);
  await harness.campaigns.sweep();
  await harness.campaigns.sweep();
  expect(await harness.look(body.id)).toMatchObject({ state: 'done' });
  return body.id;
}

test('what ended as long ago as messages are kept goes with its receivers, after its messages; the rest stays', async () => {
  const { body: draft } = await harness.make({}, users(2));
  const { body: stopped } = await harness.make({}, users(3));
  await harness.ask(`POST /campaigns/${stopped.id}/stop`);
  const old = await run(5);
  harness.clock.at += 90 * DAY_MS;
  await purgeCampaigns(parts());
  expect(await left()).toEqual([3, 10, 0, 1]);

  harness.clock.at += 1;
  const young = await run(4);
  await purgeCampaigns(parts());
  // Its messages are still there.
  expect((await harness.look(old)).progress).toMatchObject({ sent: 5 });
  expect((await harness.ask(`GET /campaigns/${stopped.id}`)).status).toBe(404);
  await purgeMessages(parts());
  await purgeCampaigns(parts());
  expect((await harness.ask(`GET /campaigns/${old}`)).status).toBe(404);
  expect(await left()).toEqual([2, 6, 0, 1]);
  expect(await harness.look(young)).toMatchObject({ state: 'done' });
  expect(await harness.look(draft.id)).toMatchObject({ state: 'draft' });
});

test('many receivers go in pieces, none once it is stopped; nobody sees the rest, and the sweep leaves it alone', async () => {
  const { body } = await harness.make({ idempotencyKey: 'once' }, users(1200));
  await harness.ask(`POST /campaigns/${body.id}/stop`);
  harness.clock.at += 91 * DAY_MS;
  let isStopped = false;
  const stop = async () => {
    isStopped = true;
  };
  await purgeCampaigns(parts(stop, () => isStopped));
  expect(await left()).toEqual([1, 700, 0, 0]);
  expect((await harness.ask(`GET /campaigns/${body.id}`)).status).toBe(404);
  await harness.campaigns.sweep();
  expect(await left()).toEqual([1, 700, 0, 0]);
  // Its key is free at once.
  expect(await harness.make({ idempotencyKey: 'once' }, users(2))).toMatchObject({ status: 201 });
  const rows: number[] = [];
  await purgeCampaigns(parts(async () => rows.push((await left())[1] ?? 0)));
  expect(rows).toEqual([202, 2, 2]);
  expect(await left()).toEqual([1, 2, 0, 0]);
});

test('of a campaign that runs again and again what earlier runs handed out goes, after its messages', async () => {
  const id = await run(5);
  const again = { state: 'scheduled', run: 2, finished_at: harness.clock.at } as const;
  await harness.db.updateTable('campaigns').set(again).execute();
  const { campaign, handed_at } = await harness.db
    .selectFrom('campaign_slices')
    .select(['campaign', 'handed_at'])
    .executeTakeFirstOrThrow();
  const last = { campaign, run: 2, message_id: 'of-the-last-run', handed_at, size: 5, counts: '[]' };
  await harness.db
    .insertInto('campaign_slices')
    .values({ ...last, settled_at: handed_at })
    .execute();
  harness.clock.at += 91 * DAY_MS;
  await purgeSlices(parts());
  expect(await left()).toEqual([1, 5, 0, 2]);
  await purgeMessages(parts());
  await purgeSlices(parts(undefined, () => true));
  await purgeSlices({ ...parts(), before: handed_at });
  expect(await left()).toEqual([1, 5, 0, 2]);
  await purgeSlices(parts());
  await purgeCampaigns(parts());
  expect(await left()).toEqual([1, 5, 0, 1]);
  expect(await harness.db.selectFrom('campaign_slices').select('run').execute()).toEqual([{ run: 2 }]);
  expect(await harness.look(id)).toMatchObject({ state: 'scheduled' });
});

test('what a pause has taken back goes, too', async () => {
  const { body } = await harness.make({ start: true }, users(3));
  await harness.campaigns.sweep();
  await harness.ask(`POST /campaigns/${body.id}/pause`);
  expect(await left()).toEqual([1, 3, 3, 0]);
  await harness.ask(`POST /campaigns/${body.id}/stop`);
  harness.clock.at += 91 * DAY_MS;
  await purgeMessages(parts());
  await purgeCampaigns(parts());
  expect(await left()).toEqual([0, 0, 0, 0]);
});
