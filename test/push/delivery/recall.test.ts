import { expect, test } from 'vitest';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { textTo, useStage } from './office.ts';

const stage = useStage();
const DAY_MS = 86_400_000;

test('what is queued is taken back, is never sent, and whoever stands behind it is', async () => {
  const office = stage.open();
  const { id } = await office.accept(textTo(['anna', 'bert'], 'wrong'));
  const next = await office.accept(textTo('anna', 'right'));
  expect(await office.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(office.told).toEqual([id]);
  office.start();
  expect(await office.finished(id, 1000)).toBe(true);
  expect(await office.finished(next.id, 10_000)).toBe(true);
  expect(stage.weCom.sent.map(({ message }) => message.body.content)).toEqual(['right']);
  const rows = await stage.deliveries(id);
  expect(rows.map(({ state, line }) => [state, line])).toEqual([
    ['recalled', null],
    ['recalled', null],
  ]);
  expect(stage.weCom.recalled).toEqual([]);
});

test('what was sent is taken back by WeCom, each part and each call once', async () => {
  const office = stage.start();
  const id = await stage.send(office, textTo(['anna', 'bert'], 'x'.repeat(5000)));
  expect(await office.recall('ci', id)).toEqual({ recalled: 2, kept: [] });
  expect(stage.weCom.recalled).toEqual(['m1', 'm2', 'm3']);
  expect((await stage.deliveries(id)).map(({ state }) => state)).toEqual(['recalled', 'recalled']);
});

test('who has counted a finished message sees that it has changed when it is taken back', async () => {
  const now = Date.now();
  const office = stage.start({ now: () => now });
  const id = await stage.send(office, textTo('anna', 'hello'));
  const end = async () =>
    (await stage.db.selectFrom('messages').select('finished_at').where('id', '=', id).executeTakeFirst())
      ?.finished_at;
  expect(await end()).toBe(now);
  await office.recall('ci', id);
  expect(await end()).toBe(now + 1);
  // Nothing is left to take back.
  await office.recall('ci', id);
  expect(await end()).toBe(now + 1);
});

test('chats, robots, what WeCom refuses and what is older than a day are kept, with the reason', async () => {
  const office = stage.start();
  const receivers = (['chat:c1', 'robot:ops'] as const).map((receiver) => ({ receiver }));
  const groups = await stage.send(office, textTo([], 'hello', { receivers }));
  expect(await office.recall('ci', groups)).toEqual({
    recalled: 0,
    kept: [
      { receiver: 'chat:c1', reason: expect.stringContaining('group chat') },
      { receiver: 'robot:ops', reason: expect.stringContaining('group robot') },
    ],
  });
  const refused = await stage.send(office, textTo('anna', 'one'));
  stage.weCom.recallScript = () => {
    throw new WeComError('message/recall', 40058, 'not yours');
  };
  expect(await office.recall('ci', refused)).toEqual({
    recalled: 0,
    kept: [{ receiver: 'user:anna', reason: expect.stringContaining('40058') }],
  });
  const old = await stage.send(office, textTo('anna', 'two'));
  const yesterday = Date.now() - DAY_MS;
  await stage.db
    .updateTable('deliveries')
    .set({ finished_at: yesterday })
    .where('message_id', '=', old)
    .execute();
  expect(await office.recall('ci', old)).toMatchObject({
    recalled: 0,
    kept: [{ reason: expect.stringContaining('24 hours') }],
  });
  expect(stage.weCom.recalled).toEqual([]);
});

test('another app cannot take it back, nor send it again', async () => {
  const office = stage.open();
  const { id } = await office.accept(textTo('anna', 'mine'));
  expect(await office.recall('other', id)).toBeNull();
  expect(await office.resend('other', id)).toBeNull();
  expect(await stage.deliveries(id)).toMatchObject([{ state: 'queued' }]);
});

test('a recall and a worker at the same moment: it is sent or taken back, and never both', async () => {
  const office = stage.start();
  const all = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const { id } = await office.accept(textTo(`u${i}`, `${i}`));
      return { id, i, recalled: await office.recall('ci', id) };
    }),
  );
  await Promise.all(all.map(({ id }) => office.finished(id, 15_000)));
  for (const { id, i } of all) {
    const [row] = await stage.deliveries(id);
    const calls = stage.weCom.textsTo(`user:u${i}`).length;
    // One that WeCom had taken was recalled there by its msgid.
    if (row?.state === 'recalled' && row.msgids === null) expect(calls).toBe(0);
    else expect(calls).toBe(1);
  }
});

test('failed and dead ones are sent again at the end of their line, with their attempts', async () => {
  const office = stage.start();
  stage.weCom.script = () => {
    throw new WeComError('message/send', 60020, 'from ip: 203.0.113.9');
  };
  const id = await stage.send(office, textTo('anna', 'again'));
  let free = (): void => {};
  const busy = new Promise<undefined>((resolve) => {
    free = () => resolve(undefined);
  });
  stage.weCom.script = () => busy;
  const before = await office.accept(textTo('anna', 'before'));
  expect(await office.resend('ci', id)).toBe(1);
  const message = stage.db.selectFrom('messages').select(['open', 'finished_at']).where('id', '=', id);
  expect(await message.executeTakeFirst()).toEqual({ open: 1, finished_at: null });
  free();
  expect(await office.finished(id, 10_000)).toBe(true);
  expect(await office.finished(before.id, 1000)).toBe(true);
  expect(stage.weCom.textsTo('user:anna')).toEqual(['again', 'before', 'again']);
  expect((await stage.attempts(id)).map(({ errcode }) => errcode)).toEqual(['60020', '0']);
  expect(await office.resend('ci', id)).toBe(0);
});
