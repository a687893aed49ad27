import { expect, test } from 'vitest';
import type { Breaker } from '../../../src/push/accounts/breaker.ts';
import { CHECK_SECONDS } from '../../../src/push/sending/repeats-store.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';
import type { Sent } from './scripted-wecom.ts';

const harness = useDeliveryHarness();
const error = (errcode: number | 'lost' | 'unsent') => new WeComError('message/send', errcode, 'as scripted');

/** Throws these, one for each call, then answers. */
function failing(...errors: readonly (Error | null)[]): (sent: Sent) => undefined {
  const left = [...errors];
  return () => {
    const next = left.shift();
    if (next) throw next;
    return undefined;
  };
}

const long = (parts: number): string => Array.from({ length: parts }, (_, i) => `${i}`.repeat(2048)).join('');
const heads = (texts: readonly unknown[]): string => texts.map((text) => `${text}`[0]).join('');

test('a long text goes out in its parts, in order, with the msgid of each', async () => {
  const replica = harness.start();
  const id = await harness.send(replica, textTo('anna', long(3)));
  expect(heads(harness.weCom.textsTo('user:anna'))).toBe('012');
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'sent', parts: 3, msgids: '["m1","m2","m3"]' },
  ]);
  expect(await harness.attempts(id)).toHaveLength(3);
});

test('a part that fails is sent again by itself, and nobody comes in between', async () => {
  const replica = harness.start();
  harness.weCom.script = failing(null, error(-1));
  const { id } = await replica.accept(textTo('anna', long(3)));
  await harness.send(replica, textTo('anna', 'next'));
  expect(heads(harness.weCom.textsTo('user:anna'))).toBe('0112n');
  const [row] = await harness.deliveries(id);
  expect(row).toMatchObject({ state: 'sent', parts: 3, maybe_twice: 0 });
  const attempts = await harness.attempts(id);
  expect(attempts.map(({ errcode }) => errcode)).toEqual(['0', '-1', '0', '0']);
});

test('each part takes a place in the limits of its own, and waits for it', async () => {
  const replica = harness.start({ windowsOf: () => [{ most: 3, ms: 1000 }] });
  const id = await harness.send(replica, textTo('anna', long(4)));
  expect(heads(harness.weCom.textsTo('user:anna'))).toBe('0123');
  const attempts = await harness.attempts(id);
  expect(attempts.map(({ part }) => part)).toEqual([0, 1, 2, 3]);
  expect(attempts[3]?.ended_at).toBeGreaterThanOrEqual((attempts[0]?.ended_at ?? 0) + 1000);
});

test.each(['unsent', -1] as const)('%s is tried again, without a flag', async (errcode) => {
  const replica = harness.start();
  harness.weCom.script = failing(error(errcode), error(errcode));
  const id = await harness.send(replica, textTo('anna', 'hello'));
  expect(harness.weCom.sent).toHaveLength(3);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', tries: 3, maybe_twice: 0 }]);
  const attempts = await harness.attempts(id);
  expect(attempts.map((attempt) => attempt.errcode)).toEqual([`${errcode}`, `${errcode}`, '0']);
});

test('an answer that got lost is asked for again by the same call with the check for repeats, and flagged', async () => {
  const replica = harness.start();
  harness.weCom.script = failing(error('lost'), error(-1));
  const id = await harness.send(replica, textTo('anna', 'hello'));
  const checks = harness.weCom.sent.map(({ onceWithinSeconds }) => onceWithinSeconds);
  expect(checks).toEqual(Array(3).fill(CHECK_SECONDS));
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 1, lost_at: null }]);
});

test('a card whose task_id is used when its answer was lost had been taken; otherwise another card has it', async () => {
  const replica = harness.start();
  const templateCard = { card_type: 'vote_interaction', task_id: 't-1' };
  const card = (user: string) => textTo(user, '', { content: { templateCard } });
  harness.weCom.script = failing(error('lost'), error(42014), error(42014));
  const sent = await harness.send(replica, card('anna'));
  expect(await harness.deliveries(sent)).toMatchObject([
    {
      state: 'sent',
      errcode: null,
      problem: null,
      tries: 2,
      parts: 1,
      maybe_twice: 1,
      lost_at: null,
      line: null,
    },
  ]);
  expect((await harness.attempts(sent)).map(({ errcode }) => errcode)).toEqual(['lost', '42014']);
  const other = await harness.send(replica, card('bert'));
  expect(await harness.deliveries(other)).toMatchObject([{ state: 'failed', errcode: '42014', tries: 1 }]);
});

test.each([
  [6, 'queued'],
  [7, 'dead'],
] as const)('after %i tries one more that fails leaves it %s: the 8th is the last', async (tries, state) => {
  const replica = harness.open();
  harness.weCom.script = () => {
    throw error(-1);
  };
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await harness.db.updateTable('deliveries').set({ tries }).where('message_id', '=', id).execute();
  replica.start();
  const row = async () => (await harness.deliveries(id))[0];
  await eventually(async () => (await row())?.tries).toBe(tries + 1);
  expect(await row()).toMatchObject({
    state,
    errcode: '-1',
    line: state === 'dead' ? null : 'normal:user:anna',
  });
});

test('what WeCom refuses for good has failed at once, with its errcode and the advice', async () => {
  const replica = harness.start();
  harness.weCom.script = () => {
    throw new WeComError('message/send', 60011, 'no privilege to access this member');
  };
  const id = await harness.send(replica, textTo('anna', 'hello'));
  expect(harness.weCom.sent).toHaveLength(1);
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'failed', errcode: '60011', problem: expect.stringContaining('visible range'), line: null },
  ]);
  expect(replica.finishedIds).toEqual([id]);
});

const blocks = () => harness.db.selectFrom('blocks').selectAll().execute();

test.each([45009, 45033])('%s blocks the account, is no try, and keeps the order', async (errcode) => {
  const [replica, other] = [harness.start(), harness.start()];
  harness.weCom.script = failing(error(errcode));
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(async () => (await harness.deliveries(id))[0]?.errcode).toBe(`${errcode}`);
  const [row] = await harness.deliveries(id);
  expect(row).toMatchObject({ state: 'queued', tries: 0, line: 'normal:user:anna' });
  expect(await blocks()).toMatchObject([{ what: 'account/default', ms: 60_000 }]);
  // Any replica knows until when.
  expect(await other.blockedAccounts()).toEqual(new Map([['default', (await blocks())[0]?.until_at]]));
  expect(row?.due_at).toBeGreaterThan(Date.now() + 50_000);
  // Nobody else of the account goes out meanwhile, from any replica, and robots do.
  const { id: waits } = await other.accept(textTo('bert', 'hello'));
  await harness.send(other, textTo([], 'hello', { receivers: [{ receiver: 'robot:ops' }] }));
  expect(await harness.deliveries(waits)).toMatchObject([{ state: 'queued', tries: 0 }]);
  expect(harness.weCom.textsTo('user:bert')).toEqual([]);
  await harness.db.updateTable('blocks').set({ until_at: 1 }).execute();
  expect(await other.blockedAccounts()).toEqual(new Map());
  await harness.db.deleteFrom('blocks').execute();
  await harness.db
    .updateTable('deliveries')
    .set({ due_at: 0 })
    .where('id', '=', row?.id ?? 0)
    .execute();
  await harness.db
    .updateTable('delivery_lines')
    .set({ due_at: 0 })
    .where('line', '=', row?.line ?? '')
    .execute();
  await Promise.all([replica.close(), other.close()]);
  const next = harness.start();
  for (const each of [id, waits]) expect(await next.finished(each, 10_000)).toBe(true);
});

test('a robot that is blocked blocks itself alone', async () => {
  const replica = harness.start();
  harness.weCom.script = ({ to }) => {
    if (to[0]?.startsWith('robot:')) throw new WeComError('webhook/send', 45009, 'as scripted');
    return undefined;
  };
  await replica.accept(textTo([], 'hello', { receivers: [{ receiver: 'robot:ops' }] }));
  await eventually(blocks).toMatchObject([{ what: 'robot:ops', ms: 60_000 }]);
  await harness.send(replica, textTo('anna', 'hello'));
});

test('a media_id that WeCom does not know any more is forgotten and made anew', async () => {
  const forgotten: string[] = [];
  const ids = ['old', 'new'];
  const replica = harness.start({
    media: { mediaId: async () => ids.shift() ?? '', forget: async (id) => void forgotten.push(id) },
  });
  harness.weCom.script = failing(error(40007));
  await harness.send(replica, textTo('anna', '', { content: { image: { sha256: 'x', name: 'a.png' } } }));
  expect(forgotten).toEqual(['old']);
  expect(harness.weCom.sent.map(({ message }) => message.body)).toEqual([
    { media_id: 'old' },
    { media_id: 'new' },
  ]);
});

test('a robot that there is not, and media that is not kept, fail with their sentence and without a call', async () => {
  const replica = harness.start();
  const id = await harness.send(replica, textTo([], 'hi', { receivers: [{ receiver: 'robot:nobody' }] }));
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'failed', problem: expect.stringContaining('no robot named nobody') },
  ]);
  expect(harness.weCom.sent).toHaveLength(0);
});

test('what a disabled app had handed in is not sent, and can be sent again when it is enabled', async () => {
  let isDisabled = true;
  const replica = harness.start({ isDisabled: async (app) => app === 'ci' && isDisabled });
  const id = await harness.send(replica, textTo('anna', 'from a thief'));
  expect(harness.weCom.sent).toEqual([]);
  expect(await harness.deliveries(id)).toMatchObject([
    { state: 'failed', problem: expect.stringContaining('The app ci is disabled') },
  ]);
  isDisabled = false;
  await replica.resend('ci', id);
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna')).toEqual(['from a thief']);
});

test('values that make more of a template than a message may be fail with a sentence, and flood nobody', async () => {
  const replica = harness.start();
  const id = await harness.send(replica, {
    ...textTo('anna', ''),
    content: { text: `\${A}`.repeat(1000) },
    variables: {},
    receivers: [
      { receiver: 'user:anna', variables: { A: 'a'.repeat(4000) } },
      { receiver: 'user:bert', variables: { A: 'b' } },
    ],
  });
  expect(await harness.deliveries(id)).toMatchObject([
    { receiver: 'user:anna', state: 'failed', problem: expect.stringContaining('at most 20480 bytes') },
    { receiver: 'user:bert', state: 'sent' },
  ]);
  expect(harness.weCom.textsTo('user:anna')).toEqual([]);
});

test('what was handed in under older rules, as was its template, is filled by those of today', async () => {
  const replica = harness.start();
  const old = (text: string) =>
    harness.send(replica, textTo('anna', text, { variables: { A: 'evil.example' } }));
  await old(`see \${A} and \${A:html}`);
  for (const text of [`https://\${A}/`, `<a href="\${A}">a</a>`]) {
    expect(await harness.deliveries(await old(text))).toMatchObject([
      { state: 'failed', problem: expect.stringContaining('the host of a link is not made of') },
    ]);
  }
  expect(harness.weCom.textsTo('user:anna')).toEqual([`see evil［.］example and \${A:html}`]);
});

test('an open breaker spares calls, is no try, and lets go on when it is closed', async () => {
  const replica = harness.start();
  let isDown = true;
  harness.weCom.script = () => {
    if (isDown) throw error('unsent');
    return undefined;
  };
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, i) => replica.accept(textTo(`u${i}`, 'hello'))),
  );
  await eventually(() => harness.weCom.sent.length).toBeGreaterThanOrEqual(5);
  isDown = false;
  await Promise.all(all.map(async ({ id }) => expect(await replica.finished(id, 20_000)).toBe(true)));
  const rows = await harness.db.selectFrom('deliveries').select(['state', 'tries']).execute();
  expect(rows.every(({ state }) => state === 'sent')).toBe(true);
  const attempts = await harness.db.selectFrom('attempts').select('id').execute();
  expect(attempts).toHaveLength(harness.weCom.sent.length);
});

test('while the breaker is open nothing is called, and nothing counts as a try', async () => {
  let isOpen = true;
  let asked = 0;
  const breaker: Breaker = {
    ask: () => {
      asked += 1;
      return isOpen ? { isOpen, at: Date.now() + 200 } : { isOpen: false };
    },
    record: () => {},
    until: () => null,
    state: () => 'open',
  };
  const replica = harness.start({ breaker });
  const { id } = await replica.accept(textTo('anna', 'hello'));
  await eventually(() => asked).toBeGreaterThan(1);
  expect(harness.weCom.sent).toHaveLength(0);
  isOpen = false;
  expect(await replica.finished(id, 10_000)).toBe(true);
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', tries: 1, maybe_twice: 0 }]);
});

test('a try that breaks inside Keypad is told to the log and tried again', async () => {
  const replica = harness.start();
  harness.weCom.script = failing(new TypeError('a bug'));
  const id = await harness.send(replica, textTo('anna', 'hello'));
  expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 1 }]);
  expect(replica.errors.map(String)).toEqual(['TypeError: a bug']);
});
