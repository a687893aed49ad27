import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import type { DeliveryState } from '../../../src/push/content/message.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import type { MessageFilter } from '../../../src/push/messages/message-schema.ts';
import { listMessageRows } from '../../../src/push/messages/message-store.ts';

const { db, drop } = await openPushDatabase();
afterAll(drop);

const COUNT = 4000;
const START = Date.UTC(2026, 10, 20);
/** Of each hundred one belongs to another app; few have receivers who did not get theirs. */
const appOf = (i: number) => (i % 100 === 99 ? 'other' : 'ci');
const badOf = (i: number): DeliveryState => {
  if (i % 500 === 7) return 'dead';
  return i % 500 === 8 ? 'failed' : 'sent';
};
const all = Array.from({ length: COUNT }, (_, i) => ({ i, id: newId(START + i), at: START + i }));
for (let from = 0; from < COUNT; from += 500) {
  const page = all.slice(from, from + 500);
  const ended = { open: 0, receivers: 2 };
  await db
    .insertInto('messages')
    .values(
      page.map(({ i, id, at }) => ({
        ...{ id, app: appOf(i), lane: 'normal' as const, kind: 'text', content: '{}', variables: null },
        ...{ template_key: null, template_version: null, opaque: null, idempotency_key: null },
        ...{ request_hash: 'a'.repeat(64), callback_url: null, campaign_id: null, ...ended },
        ...{ created_at: at, send_at: at, finished_at: at },
      })),
    )
    .execute();
  const row = (id: string, at: number, user: string, state: DeliveryState) => ({
    ...{ message_id: id, receiver: `user:${user}` as const, line: null, state, since: at, due_at: at },
    finished_at: at,
  });
  await db
    .insertInto('deliveries')
    .values(page.flatMap(({ i, id, at }) => [row(id, at, 'anna', badOf(i)), row(id, at, `u${i}`, badOf(i))]))
    .execute();
}
await sql`analyze table messages, deliveries`.execute(db);

/** Ids of a list, and how many rows the server has looked at for it. */
const list = (filter: Partial<MessageFilter>) =>
  db.connection().execute(async (connection) => {
    await sql`flush status`.execute(connection);
    const rows = await listMessageRows(connection, 'ci', { limit: 50, ...filter });
    const { rows: reads } = await sql<{ Value: string }>`show session status like 'Handler_read%'`.execute(
      connection,
    );
    return {
      rows,
      ids: rows.map(({ id }) => id),
      reads: reads.reduce((sum, { Value }) => sum + Number(Value), 0),
    };
  });
const wanted = (isWanted: (i: number) => boolean) =>
  all
    .filter(({ i }) => appOf(i) === 'ci' && isWanted(i))
    .map(({ id }) => id)
    .reverse();

test.each(['dead', 'failed', 'recalled'] as const)(
  'the few messages with %s receivers are found without looking through the others, each once, newest first',
  async (state) => {
    const { ids, reads } = await list({ state });
    expect(ids).toEqual(wanted((i) => badOf(i) === state));
    expect(reads).toBeLessThan(100);
  },
);

test('pages of dead messages follow each other, and other filters hold', async () => {
  const dead = wanted((i) => badOf(i) === 'dead');
  const first = await list({ state: 'dead', limit: 3 });
  const last = first.rows.at(-1);
  const after = { createdAt: last?.created_at ?? 0, id: last?.id ?? '' };
  const second = await list({ state: 'dead', limit: 50, after });
  expect([...first.ids, ...second.ids]).toEqual(dead);
  expect((await list({ state: 'dead', receiver: 'user:u507' })).ids).toEqual(wanted((i) => i === 507));
  expect((await list({ state: 'dead', since: START + 2000, until: START + 3000 })).ids).toEqual(
    wanted((i) => badOf(i) === 'dead' && i >= 2000 && i < 3000),
  );
  expect((await list({ state: 'dead', priority: 'bulk' })).ids).toEqual([]);
});

test('a page of sent ones costs a page, and of what is open nothing but the messages is looked at', async () => {
  const { ids, reads } = await list({ state: 'sent' });
  expect(ids).toEqual(wanted((i) => badOf(i) === 'sent').slice(0, 50));
  expect(reads).toBeLessThan(500);
  const queued = await list({ state: 'queued' });
  expect(queued.ids).toEqual([]);
  expect(queued.reads).toBeLessThan(COUNT + 100);
});
