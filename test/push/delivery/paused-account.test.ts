import { expect, test } from 'vitest';
import type { SendingAccounts } from '../../../src/push/accounts/accounts.ts';
import { createPause } from '../../../src/push/accounts/pause.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, sendingAccount, textTo, useDeliveryHarness } from './delivery-harness.ts';
import { scriptedWeCom } from './scripted-wecom.ts';

const harness = useDeliveryHarness();
const refusal = (errcode: number, api = 'message/send') => new WeComError(api, errcode, 'as scripted');
/** A pause that probes soon. */
const pauseSoon = () => createPause({ now: Date.now, random: () => 0, firstMs: 100, onChange: () => {} });
const states = async (id: string) => (await harness.deliveries(id)).map(({ state, tries }) => [state, tries]);

test.each([
  ['an address that is not trusted', refusal(60020)],
  ['a wrong secret, of which gettoken tells', refusal(40001, 'gettoken')],
  ['tokens that do not hold', refusal(40014)],
  ['tokens that end at once', refusal(42001)],
  ['an app that is disabled', refusal(50003)],
  ['an API that is not permitted', refusal(48002)],
])(
  'because of %s nothing fails: all waits in its order, and goes out when it is mended',
  async (_, problem) => {
    let isRefused = true;
    let calls = 0;
    harness.weCom.script = () => {
      calls += 1;
      if (isRefused) throw problem;
      return undefined;
    };
    const pause = pauseSoon();
    const replica = harness.start({ pause });
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three']) ids.push((await replica.accept(textTo('anna', text))).id);
    const { id: other } = await replica.accept(textTo('bert', 'one'));
    await eventually(() => calls).toBeGreaterThanOrEqual(3);
    expect(pause.state()).toMatchObject({ errcode: problem.errcode });
    for (const id of [...ids, other])
      expect(await states(id)).toEqual([[expect.stringMatching(/queued|sending/), 0]]);
    isRefused = false;
    for (const id of [...ids, other]) expect(await replica.finished(id, 15_000)).toBe(true);
    expect(harness.weCom.textsTo('user:anna').slice(-3)).toEqual(['one', 'two', 'three']);
    for (const id of [...ids, other]) expect(await states(id)).toEqual([['sent', 1]]);
    expect(pause.state()).toBeNull();
  },
);

test('while one account is paused another goes on, also to the same userid', async () => {
  const [broken, shop] = [scriptedWeCom(), scriptedWeCom()];
  broken.script = () => {
    throw refusal(60020);
  };
  const now = Date.now;
  const pause = pauseSoon();
  const all = new Map([
    ['default', sendingAccount({ messenger: broken.messenger, pause, now })],
    ['shop', sendingAccount({ messenger: shop.messenger, now })],
  ]);
  const accounts: SendingAccounts = { find: (name) => all.get(name) };
  const replica = harness.start({ accounts });
  const { id: waits } = await replica.accept(textTo('anna', 'of the default account'));
  await eventually(() => pause.state()).not.toBeNull();
  await harness.send(replica, textTo('anna', 'of the shop', { account: 'shop' }));
  expect(shop.textsTo('user:anna')).toEqual(['of the shop']);
  expect(await states(waits)).toEqual([[expect.stringMatching(/queued|sending/), 0]]);
});

test('what waits for a paused account outlasts the process, and another replica sends it in its order', async () => {
  harness.weCom.script = () => {
    throw refusal(60020);
  };
  const pause = createPause({ now: Date.now, random: () => 0.5, onChange: () => {} });
  const first = harness.start({ pause });
  const ids: string[] = [];
  for (const text of ['one', 'two']) ids.push((await first.accept(textTo('anna', text))).id);
  await eventually(() => pause.state()).not.toBeNull();
  await first.close();
  harness.weCom.script = () => undefined;
  await harness.db
    .updateTable('deliveries')
    .set({ due_at: Date.now() })
    .where('state', '=', 'queued')
    .execute();
  await harness.db.updateTable('delivery_lines').set({ due_at: Date.now() }).execute();
  const second = harness.start();
  for (const id of ids) expect(await second.finished(id, 15_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna').slice(-2)).toEqual(['one', 'two']);
});

test('a message that WeCom refuses for its own sake fails, and pauses nothing', async () => {
  harness.weCom.script = ({ message }) => {
    if (JSON.stringify(message).includes('spam')) throw refusal(85002);
    return undefined;
  };
  const pause = pauseSoon();
  const replica = harness.start({ pause });
  const failed = await harness.send(replica, textTo('anna', 'spam'));
  expect(await states(failed)).toEqual([['failed', 1]]);
  expect(pause.state()).toBeNull();
  await harness.send(replica, textTo('anna', 'fine'));
});

test('a group robot with a wrong key fails for itself', async () => {
  harness.weCom.script = () => {
    throw refusal(40001, 'webhook/send');
  };
  const pause = pauseSoon();
  const replica = harness.start({ pause });
  const message = { ...textTo([], 'hello'), receivers: [{ receiver: 'robot:ops' as const }] };
  expect(await states(await harness.send(replica, message))).toEqual([['failed', 1]]);
  expect(pause.state()).toBeNull();
});
