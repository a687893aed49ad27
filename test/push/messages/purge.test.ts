import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { settleSlices } from '../../../src/push/campaigns/counts-store.ts';
import { purgeLimits, purgeMessages } from '../../../src/push/messages/purge-store.ts';
import { dayOf } from '../../../src/push/queue/limits.ts';
import { openReplica, textTo } from '../delivery/delivery-harness.ts';
import { scriptedWeCom } from '../delivery/scripted-wecom.ts';

let { db, url, drop } = {} as Awaited<ReturnType<typeof openPushDatabase>>;
beforeAll(async () => {
  ({ db, url, drop } = await openPushDatabase());
});
afterAll(() => drop());
beforeEach(async () => {
  for (const table of [
    'messages',
    'deliveries',
    'delivery_lines',
    'attempts',
    'sent_days',
    'campaign_slices',
  ] as const) {
    await db.deleteFrom(table).execute();
  }
});

/** A message that ended then; null for one that is open. */
async function message(id: string, finishedAt: number | null, deliveries = 1): Promise<void> {
  const open = finishedAt === null ? deliveries : 0;
  const base = {
    app: 'ci',
    lane: 'normal',
    kind: 'text',
    content: '{}',
    request_hash: 'a'.repeat(64),
  } as const;
  const none = {
    variables: null,
    template_key: null,
    template_version: null,
    opaque: null,
    callback_url: null,
  };
  await db
    .insertInto('messages')
    .values({
      id,
      ...base,
      ...none,
      idempotency_key: id,
      campaign_id: null,
      receivers: deliveries,
      open,
      created_at: 1,
      send_at: 1,
      finished_at: finishedAt,
    })
    .execute();
  for (let i = 0; i < deliveries; i += 1) {
    const line = finishedAt === null ? `normal:user:u${i}` : null;
    const { insertId } = await db
      .insertInto('deliveries')
      .values({
        message_id: id,
        receiver: `user:u${i}`,
        line,
        since: 1,
        due_at: 1,
        state: line === null ? 'sent' : 'queued',
      })
      .executeTakeFirstOrThrow();
    await db
      .insertInto('attempts')
      .values({ delivery_id: Number(insertId), at: 1, ms: 1, errcode: '0', errmsg: '', msgid: null })
      .execute();
  }
}

const left = async () => ({
  messages: (await db.selectFrom('messages').select('id').orderBy('id').execute()).map(({ id }) => id),
  deliveries: (await db.selectFrom('deliveries').select('id').execute()).length,
  attempts: (await db.selectFrom('attempts').select('id').execute()).length,
});
const purge = (sleep: (ms: number) => Promise<unknown> = async () => null, isStopped = () => false) =>
  purgeMessages({ db, before: 1000, sleep, isStopped });

test('what ended before goes with all that belongs to it; what is young, or open, stays', async () => {
  await message('old', 999, 3);
  await message('young', 1000);
  await message('open', null);
  await purge();
  expect(await left()).toEqual({ messages: ['open', 'young'], deliveries: 2, attempts: 2 });
});

test('a message that a campaign has not counted yet stays until it has', async () => {
  await message('slice', 1);
  const slice = { campaign: 1, run: 1, message_id: 'slice', handed_at: 1, size: 1, counts: null };
  await db
    .insertInto('campaign_slices')
    .values({ ...slice, settled_at: null })
    .execute();
  await purge();
  expect((await left()).messages).toEqual(['slice']);
  await db.updateTable('campaign_slices').set({ settled_at: 1 }).execute();
  await purge();
  expect((await left()).messages).toEqual([]);
});

test('a message that was recalled after its campaign had counted it stays until it is counted again', async () => {
  await message('slice', 9);
  const slice = { campaign: 1, run: 1, message_id: 'slice', handed_at: 1, size: 1 };
  await db
    .insertInto('campaign_slices')
    .values({ ...slice, settled_at: 5, counts: '[]' })
    .execute();
  await db.updateTable('deliveries').set({ state: 'recalled' }).execute();
  await purge();
  expect((await left()).messages).toEqual(['slice']);
  await settleSlices(db);
  await purge();
  expect((await left()).messages).toEqual([]);
  const { counts } = await db.selectFrom('campaign_slices').select('counts').executeTakeFirstOrThrow();
  expect(JSON.parse(counts ?? '')).toMatchObject([{ state: 'recalled', count: 1 }]);
});

test('a large message goes in pieces, with a pause after each, and a purge that was broken off goes on', async () => {
  await message('large', 1, 700);
  const rows: number[] = [];
  const broken = purge(async () => {
    rows.push((await left()).deliveries);
    if (rows.length === 1) throw new Error('the process ends');
  });
  await expect(broken).rejects.toThrow('the process ends');
  expect(rows).toEqual([200]);
  await Promise.all([purge(async () => rows.push((await left()).deliveries)), purge()]);
  expect(rows.length).toBeGreaterThan(1);
  expect(await left()).toEqual({ messages: [], deliveries: 0, attempts: 0 });
});

test('messages with one receiver go by the five hundred, each piece in one step', async () => {
  for (let i = 0; i < 600; i += 1) await message(`m${i}`, 1);
  const rows: number[] = [];
  await purge(async () => rows.push((await left()).messages.length));
  expect(rows).toEqual([100, 0]);
});

test('a piece takes so many messages that their deliveries are no more than five hundred', async () => {
  await message('a', 1, 300);
  await message('b', 2, 150);
  await message('c', 3, 100);
  const rows: unknown[] = [];
  await purge(async () => rows.push(await left()));
  expect(rows).toMatchObject([
    { messages: ['c'], deliveries: 100 },
    { messages: [], deliveries: 0 },
  ]);
});

test('once it is stopped no further piece is begun', async () => {
  await message('large', 1, 1200);
  let isStopped = false;
  await purge(
    async () => {
      isStopped = true;
    },
    () => isStopped,
  );
  expect(await left()).toMatchObject({ messages: ['large'], deliveries: 700 });
  await purge(undefined, () => true);
  expect(await left()).toMatchObject({ messages: ['large'], deliveries: 700 });
});

test('no line is locked by it: what waits for the same receiver is claimed and sent meanwhile', async () => {
  await message('old', 1);
  const weCom = scriptedWeCom();
  const replica = openReplica({ mysqlUrl: url, messenger: weCom.messenger });
  const { id } = await replica.accept(textTo('u0', 'hello'));
  // What a statement has locked stays so until the transaction ends, which is longer than a purge holds anything.
  await db.transaction().execute(async (tx) => {
    await purgeMessages({ db: tx, before: 1000, sleep: async () => null, isStopped: () => false });
    expect(await tx.selectFrom('messages').select('id').execute()).toEqual([{ id }]);
    const free = await sql`select line from delivery_lines for update nowait`.execute(db);
    expect(free.rows).toEqual([{ line: 'normal:user:u0' }]);
    replica.start();
    expect(await replica.finished(id, 10_000)).toBe(true);
  });
  expect(weCom.textsTo('user:u0')).toEqual(['hello']);
  await replica.close();
});

test('the limits keep the day and the blocks that count', async () => {
  const now = Date.UTC(2026, 10, 20, 4);
  const today = dayOf(now).number;
  for (const day of [today - 9, today - 1, today]) {
    await db.insertInto('sent_days').values({ account: 'default', day, used: 1 }).execute();
  }
  for (const [what, until] of [
    ['old', now - 90_000_000],
    ['lately', now - 1000],
  ] as const) {
    await db.insertInto('blocks').values({ what, until_at: until, ms: 1 }).execute();
  }
  await purgeLimits(db, now);
  expect(
    (await db.selectFrom('sent_days').select('day').orderBy('day').execute()).map(({ day }) => day),
  ).toEqual([today - 1, today]);
  expect((await db.selectFrom('blocks').select('what').execute()).map(({ what }) => what)).toEqual([
    'lately',
  ]);
});
