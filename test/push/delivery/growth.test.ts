import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { size } from '#test/size.ts';
import type { Lane, Receiver } from '../../../src/push/content/message.ts';
import { databaseTime } from '../../../src/push/database/clock.ts';
import { type Database, openDatabase, type Tx } from '../../../src/push/database/database.ts';
import { NEVER } from '../../../src/push/database/delivery-tables.ts';
import { insertMessages } from '../../../src/push/queue/accept-store.ts';
import { claim, type Group } from '../../../src/push/queue/claim.ts';
import { readDue } from '../../../src/push/queue/claim-store.ts';
import { windowsOf } from '../../../src/push/queue/limits.ts';
import { freeLines, lockLines } from '../../../src/push/queue/line-store.ts';
import { takeOut } from '../../../src/push/queue/recall-store.ts';
import { closeMessages, writeAttempts, writeDeliveries } from '../../../src/push/queue/record-store.ts';
import { taken } from '../../../src/push/sending/outcome.ts';
import { readSame } from '../../../src/push/sending/repeats-store.ts';
import { numbers, rowsRead, SLACK } from '../rows-read.ts';
import { sendingAccount, textTo } from './delivery-harness.ts';
import { scriptedWeCom } from './scripted-wecom.ts';

const BACKLOG = size(20_000, 1_000_000);
const HISTORY = size(50_000, 10_000_000);
const CLAIMED = 20;
/** How many calls everybody has behind them: more than a limit looks back. */
const CALLS = 50;

const account = sendingAccount({ messenger: scriptedWeCom().messenger });
const parts = {
  accounts: { find: () => account },
  windowsOf: (receiver: Receiver) => windowsOf(receiver),
  onLimit: () => {},
  onError: () => {},
};

type Opened = Awaited<ReturnType<typeof openPushDatabase>>;
let [empty, filled] = [] as unknown as [Opened, Opened];
beforeAll(async () => {
  [empty, filled] = await Promise.all([openPushDatabase(), openPushDatabase()]);
  const [little, much] = [empty, filled].map(({ url }) => openDatabase(url, { statementMs: 600_000 })) as [
    Database,
    Database,
  ];
  await fill(little, { backlog: 2 * CLAIMED, history: 2 * CLAIMED * CALLS });
  await fill(much, { backlog: BACKLOG, history: HISTORY });
  await Promise.all([little.destroy(), much.destroy()]);
}, 1_200_000);
afterAll(() => Promise.all([empty?.drop(), filled?.drop()]));

/** Fills the tables: lines with something due, as many that wait, people long done, and a person with a long history. */
async function fill(
  db: Database,
  { backlog, history }: { readonly backlog: number; readonly history: number },
) {
  const message = { app: 'ci', kind: 'text', content: '{"text":"hello"}', request_hash: 'a'.repeat(64) };
  const rest = { ...message, lane: 'normal' as Lane, created_at: 1, send_at: 1, finished_at: null };
  const none = {
    opaque: null,
    variables: null,
    template_key: null,
    template_version: null,
    campaign_id: null,
  };
  const more = {
    ...none,
    idempotency_key: null,
    callback_url: null,
    receivers: 10 * backlog,
    open: 10 * backlog,
  };
  await db
    .insertInto('messages')
    .values({ id: 'waits', ...rest, ...more })
    .execute();
  await db
    .insertInto('messages')
    .values({ id: 'done', ...rest, ...more, open: 0 })
    .execute();
  const past = sql`${databaseTime} - 100000`;
  for (let from = 0; from < backlog; from += 50_000) {
    const some = numbers(from, Math.min(50_000, backlog - from));
    // Two of each line, so that who is next has to be found; every tenth line waits for a time of its own.
    for (const place of [0, 1]) {
      await sql`insert into deliveries (message_id, receiver, line, since, due_at)
        select 'waits', concat('user:u', n), concat('normal:user:u', n), ${past} + ${place}, ${past} from ${some}`.execute(
        db,
      );
    }
    await sql`insert into delivery_lines (line, account, lane, due_at)
      select concat('normal:user:u', n), 'default', 'normal', if(n % 10 = 9, ${databaseTime} + 3600000, ${past} + n) from ${some}`.execute(
      db,
    );
    await sql`insert into delivery_lines (line, account, lane, due_at)
      select concat('bulk:user:u', n), 'default', 'bulk', ${NEVER} from ${some}`.execute(db);
  }
  const people = Math.min(1000, history / CALLS);
  // Somebody for whom much waits.
  await sql`insert into deliveries (message_id, receiver, line, since, due_at)
    select 'waits', 'user:u1', 'normal:user:u1', ${past} + 2 + n, ${past} from ${numbers(0, backlog / 4)}`.execute(
    db,
  );
  for (let from = 0; from < history; from += 50_000) {
    const some = numbers(from, Math.min(50_000, history - from));
    await sql`insert into deliveries (message_id, receiver, since, due_at, state, finished_at)
      select 'done', concat('user:u', n % ${people}), n, n, 'sent', n + 1 from ${some}`.execute(db);
    // Every tenth call went to u0, who is among those that are claimed.
    await sql`insert into attempts (delivery_id, at, ms, errcode, errmsg, target, ended_at, part, words)
      select n, n, 1, '0', 'ok', concat('user:u', if(n % 10 = 0, 0, n % ${people})), n, 0, 'w' from ${some}`.execute(
      db,
    );
  }
  await sql`analyze table messages, deliveries, delivery_lines, attempts`.execute(db);
}

/** How many rows are read within the transaction that `work` runs in; nothing of it is kept. */
async function readUndone<T>(db: Database, work: (tx: Tx) => Promise<T>) {
  const undo = new Error('nothing is kept');
  let found: { readonly value: T } | undefined;
  const { rows } = await rowsRead(db, (connection) =>
    connection
      .transaction()
      .execute(async (tx) => {
        found = { value: await work(tx) };
        throw undo;
      })
      .catch((error) => {
        if (error !== undo) throw error;
      }),
  );
  if (found === undefined) throw new Error('nothing was measured');
  return { rows, ...found };
}

/** The same work on tables that are nearly empty and on those that are filled costs the same. */
async function expectSame<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  const small = await readUndone(empty.db, work);
  const large = await readUndone(filled.db, work);
  expect(large.rows).toBeLessThanOrEqual(small.rows + SLACK);
  return large.value;
}

const claimSome = async (tx: Tx): Promise<readonly Group[]> => {
  const due = await readDue(tx, ['normal', 'bulk']);
  const now = due[0]?.now ?? 0;
  const rooms = [{ account: 'default', lane: 'normal' as const, count: CLAIMED }];
  const claimed = await claim(parts, tx, rooms, { owner: 'me', since: now, now, onLocked: () => {} });
  return claimed.groups;
};

test('accepting reads what is accepted, also for those for whom much waits or who were sent much', async () => {
  await expectSame(async (tx) => {
    const messages = Array.from({ length: CLAIMED }, (_, i) =>
      textTo([`u${i}`, `new${i}`], 'hello', { idempotencyKey: `key ${i % (CLAIMED / 2)}` }),
    );
    const drafts = messages.map((message, i) => ({ id: `accepted ${i}`, at: 1, message }));
    const inserted = await insertMessages(tx, drafts);
    expect(inserted.filter((each) => 'isNew' in each && each.isNew)).toHaveLength(CLAIMED / 2);
  });
});

test('a look for what is due reads an entry of each account and lane', async () => {
  const due = await expectSame((tx) => readDue(tx, ['alert', 'normal', 'bulk']));
  expect(due.map(({ account, lane }) => [account, lane]).toSorted()).toEqual([
    ['default', 'bulk'],
    ['default', 'normal'],
  ]);
});

test('a claim reads what it claims, whatever the backlog and the history', async () => {
  const groups = await expectSame(claimSome);
  expect(groups).toHaveLength(CLAIMED);
});

test('recording what became of calls reads what is recorded', async () => {
  await expectSame(async (tx) => {
    const groups = await claimSome(tx);
    const answer = { msgid: 'm', missed: new Map() };
    const time = { at: 1, ms: 1 };
    const results = groups.flatMap(({ members }) =>
      members.map((member) => taken(member, answer, time, { isLast: true, words: 'w' })),
    );
    const lines = results.map(({ member }) => member.line);
    await lockLines(tx, lines);
    await writeAttempts(tx, results, 1);
    await writeDeliveries(tx, results, 1);
    await freeLines(tx, lines);
    await closeMessages(tx, new Map([['waits', { count: results.length, of: -1 }]]), 1);
  });
});

test('looking for the same words reads the last minutes of a receiver', async () => {
  await expectSame((tx) => readSame(tx, [{ line: 'normal:user:u0', target: 'user:u0', words: 'w' }]));
});

test('taking a message out of its lines reads that message', async () => {
  for (const { db } of [empty, filled]) {
    await sql`insert into deliveries (message_id, receiver, line, since, due_at)
      values ('back', 'user:back', 'normal:user:back', 1, 1)`.execute(db);
    await sql`insert into delivery_lines (line, account, lane, due_at)
      values ('normal:user:back', 'default', 'normal', 1)`.execute(db);
  }
  const { taken: out } = await expectSame((tx) => takeOut(tx, 'back', { fate: 'recalled', now: 1 }));
  expect(out).toHaveLength(1);
});
