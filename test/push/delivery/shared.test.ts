import { expect, test } from 'vitest';
import type { NewReceiver } from '../../../src/push/content/message.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
const USERID = '$' + '{USERID}';
const names = (kind: 'user' | 'party' | 'tag', count: number): readonly NewReceiver[] =>
  Array.from({ length: count }, (_, i) => ({ receiver: `${kind}:${kind}${i}` as const }));

test('one call serves all receivers that get the same: at most 1000 users, 100 parties and 100 tags', async () => {
  const replica = harness.start();
  const receivers = [...names('user', 1100), ...names('party', 120), ...names('tag', 5)];
  await harness.send(replica, textTo([], 'hello', { receivers }));
  const calls = harness.weCom.sent.map(({ to }) => ({
    users: to.filter((each) => each.startsWith('user:')).length,
    parties: to.filter((each) => each.startsWith('party:')).length,
    tags: to.filter((each) => each.startsWith('tag:')).length,
  }));
  expect(calls.map(({ users }) => users).toSorted()).toEqual([100, 1000]);
  expect(calls.map(({ parties }) => parties).toSorted()).toEqual([100, 20]);
  expect(calls.reduce((sum, { tags }) => sum + tags, 0)).toBe(5);
  expect(new Set(harness.weCom.sent.flatMap(({ to }) => to)).size).toBe(1225);
});

test('who gets something of their own gets a call of their own', async () => {
  const replica = harness.start();
  await harness.send(replica, textTo(['anna', 'bert'], `for ${USERID}`, { variables: {} }));
  expect(harness.weCom.textsTo('user:anna')).toEqual(['for anna']);
  expect(harness.weCom.textsTo('user:bert')).toEqual(['for bert']);
  const receivers = ['carl', 'dora'].map((user) => ({
    receiver: `user:${user}` as const,
    variables: { NAME: user },
  }));
  const content = { text: 'dear $' + '{NAME}' };
  await harness.send(replica, textTo([], '', { receivers, content, variables: { NAME: 'nobody' } }));
  expect(harness.weCom.textsTo('user:carl')).toEqual(['dear carl']);
  expect(harness.weCom.textsTo('user:dora')).toEqual(['dear dora']);
});

test('literal content that looks like a template is shared', async () => {
  const replica = harness.start();
  await harness.send(replica, textTo(['anna', 'bert'], `for ${USERID}`));
  expect(harness.weCom.sent).toHaveLength(1);
});

test('chats, robots and @all are called one by one', async () => {
  const replica = harness.start();
  const receivers = ['chat:c1', 'chat:c2', 'robot:ops', 'user:@all', 'user:anna'] as const;
  await harness.send(
    replica,
    textTo([], 'hello', { receivers: receivers.map((receiver) => ({ receiver })) }),
  );
  const calls = harness.weCom.sent.map(({ to }) => to.join());
  expect(calls.toSorted()).toEqual(['chat:c1', 'chat:c2', 'robot:robot-key', 'user:@all', 'user:anna']);
});

test('those who read in personal WeChat get plain text in a call of theirs', async () => {
  const replica = harness.start();
  const content = { markdown: '**hello**', plainTextFor: ['Bert'] };
  await harness.send(replica, textTo(['anna', 'bert', 'carl'], '', { content }));
  const calls = harness.weCom.sent.map(({ to, message }) => [
    to.join(),
    message.msgtype,
    message.body.content,
  ]);
  expect(calls.toSorted()).toEqual([
    ['user:anna,user:carl', 'markdown', '**hello**'],
    ['user:bert', 'text', 'hello'],
  ]);
});

test('whom WeCom names as not reached has failed, the others are sent', async () => {
  const replica = harness.start();
  harness.weCom.script = () => ({
    invalid: { users: ['Bert'], parties: ['9'], tags: [] },
    unlicensed: ['carl'],
  });
  const receivers = (['user:anna', 'user:bert', 'user:carl', 'party:9'] as const).map((receiver) => ({
    receiver,
  }));
  const id = await harness.send(replica, textTo([], 'hello', { receivers }));
  expect(await harness.deliveries(id)).toMatchObject([
    { receiver: 'user:anna', state: 'sent', msgids: '["m1"]' },
    {
      receiver: 'user:bert',
      state: 'failed',
      errcode: '81013',
      problem: expect.stringContaining('invaliduser'),
    },
    {
      receiver: 'user:carl',
      state: 'failed',
      errcode: '81013',
      problem: expect.stringContaining('unlicenseduser'),
    },
    {
      receiver: 'party:9',
      state: 'failed',
      errcode: '81013',
      problem: expect.stringContaining('invalidparty'),
    },
  ]);
  expect(harness.weCom.sent).toHaveLength(1);
});

test('when WeCom knows none of them all have failed', async () => {
  const replica = harness.start();
  harness.weCom.script = () => {
    throw new WeComError('message/send', 81013, 'all invalid');
  };
  const id = await harness.send(replica, textTo(['anna', 'bert'], 'hello'));
  const rows = await harness.deliveries(id);
  expect(rows.map(({ state, errcode }) => [state, errcode])).toEqual([
    ['failed', '81013'],
    ['failed', '81013'],
  ]);
});

test('whoever is over a limit waits, the others of the call do not, and those who waited go out together', async () => {
  const late = ['user:bert', 'user:carl'];
  const window = { most: 3, ms: 60_000 } as const;
  let clock = Date.now();
  const replica = harness.start({
    databaseNow: () => clock,
    windowsOf: (receiver) => (late.includes(receiver) ? [window] : null),
  });
  for (const user of ['bert', 'carl'])
    await Promise.all([1, 2, 3].map((n) => harness.send(replica, textTo(user, `${n}`))));
  harness.weCom.sent.length = 0;
  const { id } = await replica.accept(textTo(['anna', 'bert', 'carl'], 'hello'));
  const waiting = async () => (await harness.deliveries(id)).filter(({ state }) => state === 'queued');
  await eventually(async () => (await waiting()).length).toBe(2);
  const due = () =>
    harness.db
      .selectFrom('delivery_lines')
      .select('line')
      .where('due_at', '=', clock + window.ms);
  await eventually(async () => (await due().execute()).length).toBe(2);
  expect(harness.weCom.sent.map(({ to }) => to)).toEqual([['user:anna']]);
  clock += window.ms;
  expect(await replica.finished(id, 15_000)).toBe(true);
  expect(harness.weCom.sent.slice(1).flatMap(({ to }) => to)).toEqual(late);
  expect(await harness.deliveries(id)).toMatchObject([{ tries: 1 }, { tries: 1 }, { tries: 1 }]);
});

test('a receiver who is not next in their line comes along later, as soon as the line is free', async () => {
  const replica = harness.start();
  const free: (() => void)[] = [];
  harness.weCom.script = ({ message }) =>
    message.body.content === 'first'
      ? new Promise((resolve) => free.push(() => resolve(undefined)))
      : undefined;
  const busy = ['bert', 'carl'];
  const first = await Promise.all(busy.map((user) => replica.accept(textTo(user, 'first'))));
  await eventually(() => free.length).toBe(2);
  const second = await replica.accept(textTo(['anna', ...busy, 'dora'], 'second'));
  await eventually(() => harness.weCom.sent.map(({ to }) => to).slice(2)).toEqual([
    ['user:anna', 'user:dora'],
  ]);
  for (const each of free) each();
  expect(await replica.finished(second.id, 10_000)).toBe(true);
  for (const { id } of first) expect(await replica.finished(id, 1000)).toBe(true);
  for (const user of busy) expect(harness.weCom.textsTo(`user:${user}`)).toEqual(['first', 'second']);
});

test('two replicas share a message to a thousand: each receiver gets it once, in as few calls as there are claims', async () => {
  const writer = harness.open();
  const first = await writer.accept(textTo('user0', 'before'));
  const { id } = await writer.accept(textTo([], 'hello', { receivers: names('user', 1000) }));
  const [replica] = [harness.start(), harness.start()];
  expect(await replica.finished(id, 20_000)).toBe(true);
  expect(await replica.finished(first.id, 1000)).toBe(true);
  const hello = harness.weCom.sent.filter(({ message }) => message.body.content === 'hello');
  expect(hello.flatMap(({ to }) => to)).toHaveLength(1000);
  expect(new Set(hello.flatMap(({ to }) => to)).size).toBe(1000);
  expect(hello.length).toBeLessThanOrEqual(5);
  expect(harness.weCom.textsTo('user:user0')).toEqual(['before', 'hello']);
});
