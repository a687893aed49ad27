import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/ops/database.ts';
import { addMessage, createOutbox, type Outbox } from '../../src/ops/outbox/outbox.ts';
import { createSender } from '../../src/ops/outbox/sender.ts';
import { type OpsHarness, openOpsHarness, type Replica, recordsOf } from './ops-harness.ts';

let harness: OpsHarness;
let db: Database;
let ops: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
  other = await harness.startReplica();
  db = openDatabase(harness.mysqlUrl);
});
afterAll(async () => {
  await db.destroy();
  await harness.stop();
});
beforeEach(() => {
  harness.push.script = () => undefined;
});

/** Puts texts into the outbox, due now, in this order. Answers their keys. */
async function add(user: string, ...texts: readonly string[]): Promise<string[]> {
  const keys = texts.map(() => `outcome-${randomUUID()}`);
  for (const [at, text] of texts.entries()) {
    await addMessage(recordsOf(db), { id: keys[at] ?? '', user, text, due_at: harness.clock.now() });
  }
  return keys;
}
const told = (user: string) => harness.push.told(user);
const attempts = (text: string) => harness.push.attempts.filter((each) => each.text === text);
const stateOf = async (key: string) =>
  (await harness.sql('select state, problem from outbox where id = ?', [key]))[0];
/** As long as a message waits before it is tried again. */
const later = async (): Promise<void> => {
  harness.clock.pass(15_001);
  // Either may be handing a message of the user over at this moment.
  await Promise.all([ops.sweep(), other.sweep()]);
};

describe('while message delivery is away', () => {
  test.each([
    ['it hangs up', 'hang' as const],
    ['it takes the message, and its answer gets lost', 'lose' as const],
    ['it is broken', 503],
    ['it is asked too often', 429],
    ['it does not know the key of the platform', 401],
    ['it does not allow the platform to send', 403],
    ['it does not know the account of the user, as the bot already does', 404],
  ])('because %s, outcomes wait, and are told once, in the order of their user', async (what, fate) => {
    const user = `u${randomUUID().slice(0, 8)}`;
    harness.push.script = ({ to }) => (to.users.includes(user) ? fate : undefined);
    const keys = await add(user, `甲 ${what}`, `乙 ${what}`, `丙 ${what}`);
    await ops.sweep();
    await later();
    await later();
    // The first holds the others of its user up, and nobody else's.
    await add('lisi', `不等 ${what}`);
    await ops.sweep();
    expect(told('lisi')).toContain(`不等 ${what}`);
    expect(attempts(`乙 ${what}`)).toEqual([]);
    expect(await stateOf(keys[0] ?? '')).toMatchObject({ state: 'waiting' });
    harness.push.script = () => undefined;
    await later();
    expect(told(user)).toEqual([`甲 ${what}`, `乙 ${what}`, `丙 ${what}`]);
    // Message delivery has it a moment before that is written down.
    await expect.poll(() => stateOf(keys[2] ?? '')).toMatchObject({ state: 'sent' });
    await later();
    expect(attempts(`丙 ${what}`)).toHaveLength(1);
  });
});

test('a text of the platform that looks like a choice is told as what it is', async () => {
  await add('zhaoliu', '好\n1 确认');
  await ops.sweep();
  expect(told('zhaoliu')).toEqual(['好\n│ 1 确认']);
});

test.each([400, 413])(
  'a message that is refused for good (%i) is given up with what was said, and holds nobody up',
  async (status) => {
    harness.push.script = ({ text }) => (text === `没有人收 ${status}` ? status : undefined);
    const [refused = ''] = await add('wangwu', `没有人收 ${status}`, `排在后面 ${status}`);
    await ops.sweep();
    expect(told('wangwu')).toContain(`排在后面 ${status}`);
    expect(await stateOf(refused)).toEqual({ state: 'undeliverable', problem: 'It was refused.' });
    await later();
    expect(attempts(`没有人收 ${status}`)).toHaveLength(1);
  },
);

test('what message delivery holds in other words is told already', async () => {
  const [key = ''] = await add('wangwu', '原来的话');
  await ops.sweep();
  const mac = recordsOf(db).messageMac({ id: key, user: 'wangwu', text: '别的话' });
  await harness.sql("update outbox set state = 'waiting', text = '别的话', mac = ? where id = ?", [mac, key]);
  await ops.sweep();
  expect(await stateOf(key)).toMatchObject({ state: 'sent' });
  expect(told('wangwu')).not.toContain('别的话');
});

test('two replicas tell each outcome once, in the lane of alerts', async () => {
  const users = Array.from({ length: 12 }, (_, index) => `both${index}`);
  await Promise.all(users.map((user) => add(user, `甲 ${user}`, `乙 ${user}`, `丙 ${user}`)));
  await Promise.all([ops.sweep(), other.sweep()]);
  await Promise.all([ops.sweep(), other.sweep()]);
  for (const user of users) {
    expect(told(user)).toEqual([`甲 ${user}`, `乙 ${user}`, `丙 ${user}`]);
    for (const text of told(user)) expect(attempts(text)).toHaveLength(1);
  }
  expect(attempts('甲 both0')[0]).toMatchObject({ priority: 'alert', to: { users: ['both0'] } });
});

test('what a replica had taken when it died is told by another one once its lease is over', async () => {
  await ops.sweep();
  const [key] = await add('mallory', '留下的');
  const now = harness.clock.now();
  const taken = await createOutbox(recordsOf(db)).take(now, now + 30_000);
  // One of the replicas may have been quicker: then there is nothing left behind.
  if (taken.length === 0) expect(told('mallory')).toEqual(['留下的']);
  else expect(taken.map(({ id }) => id)).toEqual([key]);
  harness.clock.pass(29_000);
  await ops.sweep();
  expect(attempts('留下的')).toHaveLength(taken.length === 0 ? 1 : 0);
  harness.clock.pass(1001);
  await ops.sweep();
  expect(told('mallory')).toEqual(['留下的']);
});

test('what left the outbox is forgotten after a day, and what waits is not', async () => {
  const [sent = ''] = await add('lisi', '一天前的');
  await ops.sweep();
  const [waiting = ''] = await add('zhangsan', '还没到时候');
  await harness.sql('update outbox set due_at = ? where id = ?', [harness.clock.now() + 1e9, waiting]);
  harness.clock.pass(86_400_001);
  await ops.sweep();
  expect(await stateOf(sent)).toBeUndefined();
  expect(await stateOf(waiting)).toMatchObject({ state: 'waiting' });
});

test('a user of another account than the default is told by that account', async () => {
  await add('wecom-callback/shop/zhaoliu', '店铺的结果');
  await add('zhaoliu', '默认的结果');
  await ops.sweep();
  const [shop, standard] = [attempts('店铺的结果'), attempts('默认的结果')];
  expect(shop).toMatchObject([{ to: { users: ['zhaoliu'] }, account: 'shop' }]);
  expect(standard).toMatchObject([{ to: { users: ['zhaoliu'] } }]);
  expect(standard[0]).not.toHaveProperty('account');
});

test('rounds of one replica do not overlap, so that after one nothing is still being handed over', async () => {
  let under = 0;
  const most: number[] = [];
  const take = async () => {
    under += 1;
    most.push(under);
    await nextTurn();
    under -= 1;
    return [];
  };
  const sender = createSender({
    outbox: { take } as unknown as Outbox,
    client: { push: () => Promise.reject(new Error('nothing was taken')) },
    clock: harness.clock,
    onResult: () => {},
    onError: () => {},
  });
  expect(await Promise.all([sender.round(), sender.round(), sender.round()])).toEqual([false, false, false]);
  expect(most).toEqual([1, 1, 1]);
});
