import { expect, test } from 'vitest';
import { eventually, sendingAccount, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

test('what was claimed for an account that is removed before the call is given back, and waits for it in its order', async () => {
  let isThere = true;
  const account = {
    ...sendingAccount({ messenger: harness.weCom.messenger }),
    // It is asked for during the claim, right before the call.
    accountLimit: () => {
      isThere = false;
      return 1_000_000;
    },
  };
  const replica = harness.start({ accounts: { find: () => (isThere ? account : undefined) } });
  const first = await replica.accept(textTo('anna', 'first'));
  // A claim counts it for the day; what is given back before WeCom was reached is taken off again.
  const used = async () => (await harness.db.selectFrom('sent_days').select('used').execute())[0]?.used;
  await eventually(used).toBe(0);
  const second = await replica.accept(textTo('anna', 'second'));
  expect(await harness.deliveries(first.id)).toMatchObject([
    { state: 'queued', tries: 0, finished_at: null },
  ]);
  expect(await harness.attempts(first.id)).toEqual([]);
  expect(await harness.db.selectFrom('delivery_lines').select(['owner', 'delivery_id']).execute()).toEqual([
    { owner: null, delivery_id: null },
  ]);
  expect(harness.weCom.sent).toEqual([]);

  account.accountLimit = () => 1_000_000;
  isThere = true;
  replica.wake();
  for (const { id } of [first, second]) expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['first', 'second']);
  expect(replica.errors).toEqual([]);
});
