import { expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { NEVER } from '../../src/push/database/delivery-tables.ts';
import { purgeRounds } from '../../src/push/purge.ts';

const DAY_MS = 86_400_000;

test('what is purged ended as many days ago as are kept; a process that ends begins no further piece', async () => {
  const { db, drop } = await openPushDatabase();
  const now = 100 * DAY_MS;
  for (const [id, finished_at] of [
    ['old 1', 9 * DAY_MS],
    ['old 2', 10 * DAY_MS - 1],
    ['young', 10 * DAY_MS],
  ] as const) {
    const base = { app: 'ci', lane: 'normal', kind: 'text', content: '{}', request_hash: 'a' } as const;
    const times = { created_at: 1, send_at: 1, finished_at };
    // So large that one is a piece of its own.
    await db
      .insertInto('messages')
      .values({ id, ...base, ...times, receivers: 400, open: 0 })
      .execute();
  }
  const ids = async () =>
    (await db.selectFrom('messages').select('id').orderBy('id').execute()).map((row) => row.id);
  const row = { line: 'normal:user:anna', account: 'default', lane: 'normal', due_at: NEVER } as const;
  await db.insertInto('delivery_lines').values(row).execute();
  const lines = () => db.selectFrom('delivery_lines').select('line').execute();
  const campaign = { app: 'ci', name: 'a', template_key: 't', variables: '{}', shared_names: '[]' };
  const ended = { state: 'stopped', created_at: 1, touched_at: 1, finished_at: 9 * DAY_MS } as const;
  await db
    .insertInto('campaigns')
    .values({ id: 'old', request_hash: 'a', ...campaign, ...ended })
    .execute();
  await db
    .insertInto('campaigns')
    .values({ id: 'again', request_hash: 'a', ...campaign, ...ended, state: 'scheduled', serial: 7, run: 2 })
    .execute();
  const slice = { campaign: 7, run: 1, message_id: 'gone', handed_at: 1, size: 1 };
  await db.insertInto('campaign_slices').values(slice).execute();
  const campaigns = () => db.selectFrom('campaigns').select('id').execute();
  const slices = () => db.selectFrom('campaign_slices').select('id').execute();
  const days = () => db.selectFrom('sent_days').select('day').execute();
  await db.insertInto('sent_days').values({ account: 'default', day: 1, used: 1 }).execute();
  let isClosing = false;
  const purge = async (sleep: () => Promise<unknown>) => {
    const rounds = purgeRounds({ db, keepDays: 90, now: () => now, sleep });
    for (const { work } of rounds) await work(() => isClosing);
  };

  await purge(async () => {
    isClosing = true;
  });
  expect(await ids()).toEqual(['old 2', 'young']);
  expect(await lines()).not.toEqual([]);
  expect(await days()).not.toEqual([]);

  isClosing = false;
  await purge(async () => null);
  expect(await ids()).toEqual(['young']);
  expect(await lines()).toEqual([]);
  expect(await days()).toEqual([]);
  expect(await campaigns()).toEqual([{ id: 'again' }]);
  expect(await slices()).toEqual([]);
  await drop();
});
