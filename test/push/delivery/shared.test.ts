import { expect, test } from 'vitest';
import type { NewReceiver } from '../../../src/push/content/message.ts';
import type { Limits } from '../../../src/push/delivery/limits.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import {
  type DeliveryReplica,
  eventually,
  freeLimits,
  textTo,
  useDeliveryHarness,
} from './delivery-harness.ts';

const harness = useDeliveryHarness();
const USERID = '$' + '{USERID}';
const names = (kind: 'user' | 'party' | 'tag', count: number): readonly NewReceiver[] =>
  Array.from({ length: count }, (_, i) => ({ receiver: `${kind}:${kind}${i}` as const }));

/** A replica that is past the sweep of its start, and does not sweep again. */
async function startQuiet(limits: Limits = freeLimits): Promise<DeliveryReplica> {
  const replica = harness.start({ limits, sweepMs: 3_600_000 });
  await harness.send(replica, textTo('nobody', 'awake'));
  await replica.sweepAll();
  harness.weCom.sent.length = 0;
  return replica;
}

test('one call serves all receivers that get the same: at most 1000 users, 100 parties and 100 tags', async () => {
  const replica = await startQuiet();
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

test('whoever has no turn waits for it, the others of the call do not', async () => {
  const at = Date.now() + 700;
  const limits: Limits = {
    ...freeLimits,
    take: async (lane, receivers) =>
      (await freeLimits.take(lane, receivers)).map((turn) =>
        turn.receiver === 'user:anna' && Date.now() < at
          ? { receiver: turn.receiver, isMine: false, at, limit: 'member' }
          : turn,
      ),
  };
  const replica = harness.start({ limits });
  const id = await harness.send(replica, textTo(['anna', 'bert', 'carl'], 'hello'));
  expect(harness.weCom.sent.map(({ to }) => to)).toEqual([['user:bert', 'user:carl'], ['user:anna']]);
  const [first] = await harness.attempts(id).then((all) => all.slice(-1));
  expect(first?.at).toBeGreaterThanOrEqual(at);
});

test('a receiver who is not next in their line comes along later, as soon as the line is free', async () => {
  const replica = await startQuiet();
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

test('a message to a thousand costs one job, also when another is first in some of their lines', async () => {
  const writer = harness.open();
  const counts = () =>
    Promise.all(writer.queues.map((queue) => queue.getJobCountByTypes('waiting', 'delayed')));
  await writer.accept(textTo('user0', 'before'));
  await eventually(counts).toEqual([0, 1, 0]);
  const { id } = await writer.accept(textTo([], 'hello', { receivers: names('user', 1000) }));
  await eventually(counts).toEqual([0, 2, 0]);
  await writer.sweepAll();
  expect(await counts()).toEqual([0, 2, 0]);
  const replica = harness.start();
  // Longer than a lease: what a busy machine lets go of is taken up again.
  expect(await replica.finished(id, 25_000)).toBe(true);
}, 60_000);

test('when the one whose job it was is not next any more, the others do not wait for it', async () => {
  const replica = await startQuiet();
  await replica.queues[1]?.pause();
  const { id } = await replica.accept(textTo(['anna', 'bert', 'carl'], 'hello'));
  await eventually(() => replica.queues[1]?.getJobCountByTypes()).toBe(1);
  // As if somebody's transaction had begun earlier and ended later.
  const [anna] = await harness.deliveries(id);
  const values = { id: -1, message_id: 'of another', receiver: 'user:anna', line: anna?.line ?? '' };
  const due = { since: 0, due_at: Date.now() + 3_600_000 };
  await harness.db
    .insertInto('deliveries')
    .values({ ...values, ...due })
    .execute();
  await replica.queues[1]?.resume();
  await eventually(() => harness.weCom.sent.map(({ to }) => to)).toEqual([['user:bert', 'user:carl']]);
});

test('those who had no turn go out together when theirs comes, without a sweep', async () => {
  const at = Date.now() + 1500;
  const late = ['user:bert', 'user:carl'];
  const limits: Limits = {
    ...freeLimits,
    take: async (lane, receivers) =>
      (await freeLimits.take(lane, receivers)).map((turn) =>
        late.includes(turn.receiver) && Date.now() < at
          ? { receiver: turn.receiver, isMine: false, at, limit: 'member' }
          : turn,
      ),
  };
  const replica = await startQuiet(limits);
  const id = await harness.send(replica, textTo(['anna', 'bert', 'carl'], 'hello'));
  expect(harness.weCom.sent.map(({ to }) => to)).toEqual([['user:anna'], late]);
  expect(await harness.deliveries(id)).toMatchObject([{ tries: 1 }, { tries: 1 }, { tries: 1 }]);
});

test('who asks for turns is in flight already, for a restoring of the limits to see, and put back without one', async () => {
  const states: (readonly string[])[] = [];
  let isFull = true;
  const read = async () =>
    (await harness.db.selectFrom('deliveries').select(['state', 'receiver']).orderBy('id').execute())
      .filter(({ receiver }) => receiver !== 'user:nobody')
      .map(({ state }) => state);
  const limits: Limits = {
    ...freeLimits,
    async take(lane, receivers) {
      if (receivers.includes('user:nobody')) return freeLimits.take(lane, receivers);
      states.push(await read());
      if (!isFull) throw new Error('Redis is away');
      isFull = false;
      return receivers.map((receiver) => ({ receiver, isMine: false, at: Date.now(), limit: 'member' }));
    },
  };
  const replica = await startQuiet(limits);
  await replica.accept(textTo(['anna', 'bert'], 'hello'));
  await eventually(() => states).toEqual([
    ['sending', 'sending'],
    ['sending', 'sending'],
  ]);
  await eventually(read).toEqual(['queued', 'queued']);
  const rows = await harness.db
    .selectFrom('deliveries')
    .select(['busy', 'lease_owner', 'maybe_twice'])
    .execute();
  expect(rows).toEqual(rows.map(() => ({ busy: null, lease_owner: null, maybe_twice: 0 })));
});
