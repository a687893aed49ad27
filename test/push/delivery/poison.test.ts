import { expect, test } from 'vitest';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

// One delivery that cannot be read or recorded as it is costs nobody else anything, and is not tried for ever.

const harness = useDeliveryHarness();

test.each([
  [
    'an errmsg that is cut within a character',
    new WeComError('message/send', 40058, `${'x'.repeat(9)}\ud83d`),
  ],
  ['an errmsg of any length', new WeComError('message/send', 40058, '错'.repeat(5000))],
])('%s is recorded', async (_what, error) => {
  harness.weCom.script = () => {
    throw error;
  };
  const replica = harness.start();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'failed', errcode: '40058' }]);
});

test('what the database refuses for its words is recorded without them', async () => {
  harness.weCom.script = () => ({ msgid: 'm'.repeat(500) });
  const replica = harness.start();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent' }]);
  expect(await harness.attempts(id)).toMatchObject([{ errcode: '0', msgid: null, target: 'user:anna' }]);
  expect(harness.weCom.sent).toHaveLength(1);
});

test('a message that cannot be read does not hold up all the others', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'gone'));
  await harness.db.deleteFrom('messages').where('id', '=', id).execute();
  const broken = await replica.accept(textTo('carl', 'broken'));
  await harness.db.updateTable('messages').set({ content: '{' }).where('id', '=', broken.id).execute();
  const { id: good } = await replica.accept(textTo('bert', 'good'));
  replica.start();
  expect(await replica.finished(good, 10_000)).toBe(true);
  expect(replica.errors.map(String)).toEqual([
    expect.stringContaining('cannot be read'),
    expect.stringContaining('cannot be read'),
  ]);
});

test('a look-alike in another lane arrives, also when the first was lost with its replica', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'same'));
  const [row] = await harness.deliveries(id);
  await harness.db.updateTable('deliveries').set({ state: 'sending' }).execute();
  const killed = { owner: 'killed', delivery_id: row?.id ?? 0, due_at: Date.now() - 1 };
  await harness.db.updateTable('delivery_lines').set(killed).execute();
  // The killed one reached WeCom; its try is repeated, and fails before the call.
  harness.weCom.script = () => {
    throw new WeComError('message/send', 'unsent', 'no network');
  };
  replica.start();
  await eventually(() => harness.weCom.sent.length).toBe(1);
  harness.weCom.script = () => undefined;
  const alert = await replica.accept(textTo('anna', 'same', { lane: 'alert' }));
  expect(await replica.finished(alert.id, 10_000)).toBe(true);
  // Checked, WeCom would drop it as a repeat of the killed one's call.
  expect(harness.weCom.sent[1]).toMatchObject({ onceWithinSeconds: undefined });
});
