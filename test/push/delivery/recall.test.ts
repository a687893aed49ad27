import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Tx } from '../../../src/push/database/database.ts';
import { NEVER } from '../../../src/push/database/delivery-tables.ts';
import { lockLines } from '../../../src/push/queue/line-store.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { textTo, useDeliveryHarness, waitingForLocks } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const DAY_MS = 86_400_000;

test('what is queued is taken back, is never sent, and whoever stands behind it is', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo(['anna', 'bert'], 'wrong'));
  const next = await replica.accept(textTo('anna', 'right'));
  expect(await replica.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(replica.finishedIds).toEqual([id]);
  replica.start();
  expect(await replica.finished(id, 1000)).toBe(true);
  expect(await replica.finished(next.id, 10_000)).toBe(true);
  expect(harness.weCom.sent.map(({ message }) => message.body.content)).toEqual(['right']);
  const rows = await harness.deliveries(id);
  expect(rows.map(({ state, line }) => [state, line])).toEqual([
    ['recalled', null],
    ['recalled', null],
  ]);
  expect(harness.weCom.recalled).toEqual([]);
});

test('what was sent is taken back by WeCom, each part and each call once', async () => {
  const replica = harness.start();
  const id = await harness.send(replica, textTo(['anna', 'bert'], 'x'.repeat(5000)));
  expect(await replica.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(harness.weCom.recalled).toEqual(['m1', 'm2', 'm3']);
  expect((await harness.deliveries(id)).map(({ state }) => state)).toEqual(['recalled', 'recalled']);
});

test('who has counted a finished message sees that it has changed when it is taken back', async () => {
  const now = Date.now();
  const replica = harness.start({ now: () => now });
  const id = await harness.send(replica, textTo('anna', 'hello'));
  const end = async () =>
    (await harness.db.selectFrom('messages').select('finished_at').where('id', '=', id).executeTakeFirst())
      ?.finished_at;
  expect(await end()).toBe(now);
  await replica.recall('ci', id);
  expect(await end()).toBe(now + 1);
  // Nothing is left to take back.
  await replica.recall('ci', id);
  expect(await end()).toBe(now + 1);
});

test('chats, robots, what WeCom refuses and what is older than a day are kept, with the reason', async () => {
  const replica = harness.start();
  const receivers = (['chat:c1', 'robot:ops'] as const).map((receiver) => ({ receiver }));
  const groups = await harness.send(replica, textTo([], 'hello', { receivers }));
  expect(await replica.recall('ci', groups)).toEqual({
    recalled: 0,
    kept: [
      { receiver: 'chat:c1', reason: expect.stringContaining('group chat') },
      { receiver: 'robot:ops', reason: expect.stringContaining('group robot') },
    ],
  });
  const refused = await harness.send(replica, textTo('anna', 'one'));
  harness.weCom.recallScript = () => {
    throw new WeComError('message/recall', 40058, 'not yours');
  };
  expect(await replica.recall('ci', refused)).toEqual({
    recalled: 0,
    kept: [{ receiver: 'user:anna', reason: expect.stringContaining('40058') }],
  });
  const old = await harness.send(replica, textTo('anna', 'two'));
  const yesterday = Date.now() - DAY_MS;
  await harness.db
    .updateTable('deliveries')
    .set({ finished_at: yesterday })
    .where('message_id', '=', old)
    .execute();
  expect(await replica.recall('ci', old)).toMatchObject({
    recalled: 0,
    kept: [{ reason: expect.stringContaining('24 hours') }],
  });
  expect(harness.weCom.recalled).toEqual([]);
});

test('another app cannot take it back, nor send it again', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'mine'));
  expect(await replica.recall('other', id)).toBeNull();
  expect(await replica.resend('other', id)).toBeNull();
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'queued' }]);
});

test('a recall and a worker at the same moment: it is sent or taken back, and never both', async () => {
  const replica = harness.start();
  const all = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const { id } = await replica.accept(textTo(`u${i}`, `${i}`));
      return { id, i, recalled: await replica.recall('ci', id) };
    }),
  );
  await Promise.all(all.map(({ id }) => replica.finished(id, 15_000)));
  for (const { id, i } of all) {
    const [row] = await harness.deliveries(id);
    const calls = harness.weCom.textsTo(`user:u${i}`).length;
    // One that WeCom had taken was recalled there by its msgid.
    if (row?.state === 'recalled' && row.msgids === null) expect(calls).toBe(0);
    else expect(calls).toBe(1);
  }
});

test('failed and dead ones are sent again at the end of their line, with their attempts', async () => {
  const replica = harness.start();
  harness.weCom.script = () => {
    throw new WeComError('message/send', 60011, 'no privilege to access this member');
  };
  const id = await harness.send(replica, textTo('anna', 'again'));
  let free = (): void => {};
  const busy = new Promise<undefined>((resolve) => {
    free = () => resolve(undefined);
  });
  harness.weCom.script = () => busy;
  const before = await replica.accept(textTo('anna', 'before'));
  expect(await replica.resend('ci', id)).toBe(1);
  const message = harness.db.selectFrom('messages').select(['open', 'finished_at']).where('id', '=', id);
  expect(await message.executeTakeFirst()).toEqual({ open: 1, finished_at: null });
  free();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await replica.finished(before.id, 1000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['again', 'before', 'again']);
  expect((await harness.attempts(id)).map(({ errcode }) => errcode)).toEqual(['60011', '0']);
  expect(await replica.resend('ci', id)).toBe(0);
});

test('what fails while its message is being sent again is left for the next time, and never stands in a line that nobody looks at', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo(['anna', 'bert'], 'hello'));
  const fails = async (tx: Tx, user: string) => {
    const over = { state: 'failed', line: null, finished_at: 1 } as const;
    await tx.updateTable('deliveries').set(over).where('receiver', '=', `user:${user}`).execute();
    const line = `normal:user:${user}`;
    await tx.updateTable('delivery_lines').set({ due_at: NEVER }).where('line', '=', line).execute();
    await sql`update messages set open = open - 1, finished_at = 1`.execute(tx);
  };
  await harness.db.transaction().execute((tx) => fails(tx, 'anna'));
  const { again } = await harness.db.transaction().execute(async (tx) => {
    await lockLines(tx, ['normal:user:anna']);
    const resending = replica.resend('ci', id);
    await waitingForLocks(harness.db).toBe(1);
    await fails(tx, 'bert');
    return { again: resending };
  });
  expect(await again).toBe(1);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'queued' }, { state: 'failed' }]);
  expect(await replica.resend('ci', id)).toBe(1);
  replica.start();
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
});
