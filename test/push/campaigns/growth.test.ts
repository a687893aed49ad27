import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { size } from '#test/size.ts';
import { numbers, rowsRead, SLACK } from '../rows-read.ts';
import { MONDAY, openCampaignHarness, users } from './campaign-harness.ts';

type Harness = Awaited<ReturnType<typeof openCampaignHarness>>;
let [young, old] = [] as unknown as [Harness, Harness];
beforeAll(async () => {
  [young, old] = await Promise.all([openCampaignHarness(), openCampaignHarness()]);
});
afterAll(() => Promise.all([young?.close(), old?.close()]));

const HANDED = 10;

/** A running campaign that has handed out so many slices of one receiver, which all arrived a day ago. */
async function fill({ db, make }: Harness, slices: number): Promise<void> {
  const { status } = await make({ start: true, perMinute: HANDED, perDay: 100_000 }, users(slices + 100));
  expect(status).toBe(201);
  const yesterday = MONDAY - 86_400_000;
  const n = numbers(1, slices);
  await sql`insert into messages (id, app, lane, kind, content, request_hash, receivers, open, created_at, send_at, finished_at)
    select concat('slice', n), 'shop', 'bulk', 'text', '{"text":"hello"}', 'a', 1, 0, ${yesterday}, ${yesterday}, ${yesterday} from ${n}`.execute(
    db,
  );
  await sql`insert into deliveries (message_id, receiver, since, due_at, state, finished_at)
    select concat('slice', n), concat('user:u', n), ${yesterday}, ${yesterday}, 'sent', ${yesterday} from ${n}`.execute(
    db,
  );
  await sql`insert into campaign_slices (campaign, run, message_id, handed_at, size, settled_at, counts)
    select c.serial, 1, concat('slice', n), ${yesterday}, 1, ${yesterday}, '[]' from campaigns c, ${n}`.execute(
    db,
  );
  await sql`update campaigns set position = ${slices}`.execute(db);
  await sql`analyze table messages, deliveries, campaign_slices, campaign_receivers`.execute(db);
}

/** A round that hands out a slice, and one that finds its minute used up. */
async function rounds({ db, replica, inserted }: Harness): Promise<readonly number[]> {
  const counts: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    const { rows } = await rowsRead(db, (connection) => replica({ db: connection }).sweep());
    counts.push(rows);
  }
  expect(inserted).toHaveLength(1);
  return counts;
}

test('a round of a campaign reads what it hands out, however many slices it has handed out before', async () => {
  await fill(young, 20);
  await fill(old, size(5000, 50_000));
  const [few, many] = [await rounds(young), await rounds(old)];
  expect(few.map((rows, round) => (many[round] ?? 0) - rows)).toEqual(
    few.map(() => expect.toSatisfy((more: number) => more <= SLACK)),
  );
}, 120_000);
