import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { size } from '#test/size.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { readOutcome } from '../../../src/push/webhooks/outcome-store.ts';
import { endTry, insertCallbacks, takeCallbacks } from '../../../src/push/webhooks/webhook-store.ts';
import { numbers, rowsRead, SLACK } from '../rows-read.ts';

const NOW = Date.now();
const TAKEN = 20;
const HISTORY = size(20_000, 100_000);
const BACKLOG = size(5000, 100_000);

type Opened = Awaited<ReturnType<typeof openPushDatabase>>;
let [empty, filled] = [] as unknown as [Opened, Opened];
beforeAll(async () => {
  [empty, filled] = await Promise.all([openPushDatabase(), openPushDatabase()]);
  await fill(empty.db, { history: 100, backlog: 100 });
  await fill(filled.db, { history: HISTORY, backlog: BACKLOG });
}, 120_000);
afterAll(() => Promise.all([empty?.drop(), filled?.drop()]));

/** Messages that have just ended, webhooks that were called long ago, and such as are due, or will be. */
async function fill(
  db: Database,
  { history, backlog }: { readonly history: number; readonly backlog: number },
): Promise<void> {
  await sql`insert into messages (id, app, lane, kind, content, request_hash, callback_url, receivers, open, created_at, send_at, finished_at)
    select concat('new', n), 'ci', 'normal', 'text', '{}', 'a', 'https://hooks.internal/', 2, 0, 1, 1, 1 from ${numbers(0, history)}`.execute(
    db,
  );
  for (const user of ['anna', 'bert']) {
    await sql`insert into deliveries (message_id, receiver, since, due_at, state, finished_at)
      select concat('new', n), ${`user:${user}`}, 1, 1, 'sent', 1 from ${numbers(0, history)}`.execute(db);
  }
  await sql`insert into result_callbacks (message_id, app, host, state, noted_at, done_at)
    select concat('done', n), 'ci', concat('host', n % 50), 'told', 1, n from ${numbers(0, history)}`.execute(
    db,
  );
  for (const [name, due] of [
    ['due', sql`${NOW} - n`],
    ['later', sql`${NOW} + 1 + n`],
  ] as const) {
    await sql`insert into result_callbacks (message_id, app, host, noted_at, due_at)
      select concat(${name}, n), 'ci', concat('host', n % 50), 1, ${due} from ${numbers(0, backlog)}`.execute(
      db,
    );
  }
  await sql`analyze table messages, deliveries, result_callbacks`.execute(db);
}

/** The same work on tables that are nearly empty and on those that are filled costs the same. */
async function expectSame(work: (connection: Database) => Promise<unknown>): Promise<void> {
  const small = await rowsRead(empty.db, work);
  const large = await rowsRead(filled.db, work);
  expect(large.rows).toBeLessThanOrEqual(small.rows + SLACK);
}

const ids = Array.from({ length: TAKEN }, (_, i) => `new${i}`);

test('noting that messages have ended reads those messages', async () => {
  await expectSame((connection) =>
    connection.transaction().execute((tx) => insertCallbacks(tx, ids, NOW + 1_000_000)),
  );
});

test('taking what is due, and noting what became of it, reads what is taken', async () => {
  await expectSame(async (connection) => {
    const ours = await takeCallbacks(connection, ['slow'], { now: NOW, owner: 'me' });
    expect(ours.length).toBeGreaterThan(TAKEN);
    // The hosts whose oldest have waited longest.
    expect([...new Set(ours.map(({ host }) => host))].slice(0, 2)).toEqual(['host49', 'host48']);
    for (const each of ours) await endTry(connection, each, { state: 'told' }, NOW);
  });
});

test('a look that finds nothing reads one entry', async () => {
  await expectSame(async (connection) => {
    expect(await takeCallbacks(connection, [], { now: 1, owner: 'me' })).toEqual([]);
  });
});

test('what waits for a host that has its share is not read, and others are not held up', async () => {
  // Nothing else is due yet at that time.
  const then = NOW - 86_400_000;
  for (const [{ db }, count] of [
    [empty, 10],
    [filled, BACKLOG],
  ] as const) {
    await sql`insert into result_callbacks (message_id, app, host, noted_at, due_at)
      select concat('dead', n), 'ci', 'dead', 1, ${then - 1} from ${numbers(0, count)}
      union all select 'alive', 'ci', 'alive', 1, ${then}`.execute(db);
  }
  await expectSame(async (connection) => {
    const dead = Array.from({ length: 4 }, () => 'dead');
    const ours = await takeCallbacks(connection, dead, { now: then, owner: 'me' });
    expect(ours.map(({ host }) => host)).toEqual(['alive']);
  });
});

test('what a message has come to is read from its deliveries', async () => {
  await expectSame(async (connection) => {
    const found = await readOutcome(connection, 'new0');
    expect(found?.outcome.receivers).toMatchObject({ total: 2, sent: 2 });
  });
});
