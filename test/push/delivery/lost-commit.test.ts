import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '#test/tcp-proxy.ts';
import { releaseClaim } from '../../../src/push/queue/claim-end-store.ts';
import { takeDeliveries } from '../../../src/push/queue/claim-store.ts';
import { transact } from '../../../src/server/database.ts';
import { textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();

let proxy: TcpProxy;
beforeEach(async () => {
  proxy = await startTcpProxy(Number(new URL(harness.mysqlUrl).port));
});
afterEach(() => proxy.stop());

/** A replica whose connections lead through the proxy; it does not send yet. */
function openBehindProxy() {
  const url = new URL(harness.mysqlUrl);
  url.port = `${proxy.port}`;
  return harness.open({ mysqlUrl: url.href });
}

test.each([
  ['a claim is given back, since nobody has begun it', "d.state = 'sending'"],
  ['the record of a call is found out, and not made again', 'insert into `attempts`'],
])('when the answer to a commit is lost, %s: one call, and no doubt about it', async (_what, words) => {
  const replica = openBehindProxy();
  const { id } = await replica.accept(textTo(['anna', 'bert'], 'hello'));
  const lost = proxy.loseCommitOf(words);
  replica.start();
  await lost;
  expect(await replica.finished(id, 20_000)).toBe(true);
  // It waits for what is recorded once more.
  await replica.close();
  expect(harness.weCom.sent).toHaveLength(1);
  const sent = { state: 'sent', maybe_twice: 0, tries: 1, lost_at: null };
  expect(await harness.deliveries(id)).toMatchObject([sent, sent]);
  expect(await harness.attempts(id)).toMatchObject([{ errcode: '0' }, { errcode: '0' }]);
  expect(replica.finishedIds.filter((each) => each === id).length).toBeGreaterThan(0);
  const lines = await harness.db.selectFrom('delivery_lines').select('owner').execute();
  expect(lines).toEqual([{ owner: null }, { owner: null }]);
  expect(await harness.db.selectFrom('sent_days').select('used').execute()).toEqual([{ used: 2 }]);
});

test('what is given back of a claim waits as if it had never been claimed, and can be taken back', async () => {
  const replica = harness.open();
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await transact(harness.db, async (tx) => {
    const [row] = await harness.deliveries(id);
    await takeDeliveries(tx, [row?.id ?? 0], { owner: 'us', now: Date.now() });
  });
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sending' }]);
  await transact(harness.db, (tx) => releaseClaim(tx, { owner: 'us', lines: ['normal:user:anna'], day: 1 }));
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'queued', lost_at: null, maybe_twice: 0 }]);
  expect(await replica.recall('ci', id)).toMatchObject({ recalled: 1, kept: [] });
});

test('two replicas accept, claim and record for the same receivers at once, and nothing fails', async () => {
  const replicas = [harness.start(), harness.start()] as const;
  const users = Array.from({ length: 50 }, (_, i) => `u${i}`);
  const call = async (caller: number): Promise<void> => {
    const replica = replicas[caller % 2 === 0 ? 0 : 1];
    for (let number = 0; number < 10; number += 1) {
      // Overlapping sets in differing orders.
      const some = users.map((_, i) => users[(i * 7 + caller * 11 + number) % 50] ?? '').slice(0, 10);
      const { id } = await replica.accept(textTo(some, `${caller} ${number}`));
      expect(await replica.finished(id, 25_000)).toBe(true);
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, caller) => call(caller)));
  expect(replicas.flatMap(({ errors }) => errors)).toEqual([]);
  expect(harness.weCom.sent.flatMap(({ to }) => to)).toHaveLength(12 * 10 * 10);
});

test('an alert does not wait for bulk messages to a thousand whose calls hang and take all the room there is', async () => {
  const replica = harness.start({ concurrency: 2 });
  const frees: (() => void)[] = [];
  harness.weCom.script = ({ message }) =>
    message.body.content === 'alarm' ? undefined : new Promise((free) => frees.push(() => free(undefined)));
  const receivers = Array.from({ length: 1000 }, (_, i) => ({
    receiver: `user:u${i}` as const,
    variables: { NAME: `${i}` },
  }));
  const content = { text: 'dear $' + '{NAME}' };
  await replica.accept(textTo([], '', { lane: 'bulk', receivers, content, variables: { NAME: '' } }));
  await expect.poll(() => frees.length, { timeout: 10_000 }).toBe(2);
  const hanging = harness.weCom.sent.flatMap(({ to }) => to).map((to) => to.replace('user:', ''));
  await harness.send(replica, textTo([...hanging, 'u999'], 'alarm', { lane: 'alert' }));
  expect(frees).toHaveLength(2);
  await harness.db.deleteFrom('deliveries').where('state', '=', 'queued').execute();
  for (const free of frees) free();
});
