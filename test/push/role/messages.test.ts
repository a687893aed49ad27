import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type PushRole, startPushRole } from '#test/push-role.ts';

const patiently = { timeout: 20_000, interval: 25 };
let role: PushRole;
beforeAll(async () => {
  role = await startPushRole({ wecom: { unlicensed: ['unlicensed'] } });
});
afterAll(() => role.stop());
afterEach(() => role.wecom.setFaults([]));

const texts = (receiver: string): readonly string[] => role.wecom.arrived(receiver).map(({ text }) => text);
const replica = (number: number) => (number % 2 === 0 ? role.first : role.second);
const stateOf = (id: string) => async () => (await role.second.client.message(id)).state;
const sendTo = (user: string, more: object = {}) =>
  role.first.ask('POST /v1/messages', {
    json: { to: { users: [user] }, text: 'hello', wait: true, ...more },
  });

test('20 callers who send and push in turns at two replicas each get their own answers', async () => {
  const caller = async (number: number): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) {
      const [user, text] = [`caller${number}`, `${number}.${turn}`];
      const message = { to: { users: [user] }, text, opaque: `"${text}"\n$1` };
      const { client } = replica(number + turn);
      if (turn % 2 === 0) {
        const sent = await client.send(message);
        const mine = role.wecom.arrived(user).at(-1);
        expect(sent).toMatchObject({ state: 'sent', msgid: mine?.msgid, opaque: message.opaque });
        expect(mine?.text).toBe(text);
      } else {
        expect(await client.push(message)).toMatchObject({ state: 'queued', opaque: message.opaque });
      }
    }
    await expect.poll(() => texts(`caller${number}`), patiently).toHaveLength(4);
    expect(texts(`caller${number}`)).toEqual([0, 1, 2, 3].map((turn) => `${number}.${turn}`));
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => caller(number)));
});

test('one idempotency key at both replicas at once, and again later, is one delivery and the same answer', async () => {
  const json = {
    to: { users: ['once'] },
    text: 'once',
    wait: true,
    opaque: 'mine',
    idempotencyKey: randomUUID(),
  };
  const ask = (number: number) => replica(number).ask('POST /v1/messages', { json });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => ask(number)));
  answers.push(await ask(0), await ask(1));
  expect(answers[0]).toMatchObject({ status: 200, body: { state: 'sent', opaque: 'mine' } });
  expect(answers.filter((answer) => JSON.stringify(answer) !== JSON.stringify(answers[0]))).toEqual([]);
  expect(texts('once')).toEqual(['once']);
  const other = await role.second.ask('POST /v1/messages', { json: { ...json, text: 'twice' } });
  expect(other.status).toBe(409);
});

describe('what WeCom answers decides', () => {
  const refusals = [
    [40003, 'invalid userid', 'There is no such userid: drop the receiver.'],
    [40058, 'invalid parameter', 'A parameter is wrong or empty: this is a bug.'],
    [60011, 'no privilege', "The member is outside the app's visible range"],
    [45002, 'content too long', 'The text is longer than 2048 bytes: split it.'],
    [85002, 'forbidden words', 'WeCom stopped the content as spam or forbidden words: tell the sender.'],
    [99999, 'nobody knows', 'This code is not in our table'],
  ] as const;
  for (const [errcode, errmsg, advice] of refusals) {
    test(`${errcode} is a failure at once, with its advice, although its HTTP status is 200`, async () => {
      role.wecom.setFaults([{ api: 'message/send', errcode, errmsg }]);
      const { status, body } = await sendTo(`refused${errcode}`, { opaque: 'mine' });
      expect({ status, body }).toMatchObject({
        status: 502,
        body: { state: 'failed', errcode, opaque: 'mine' },
      });
      expect(body.advice).toContain(advice);
      const { body: seen } = await role.second.ask(`GET /v1/messages/${body.id}`);
      expect(seen).toMatchObject({ state: 'failed', receivers: [{ state: 'failed', errcode, tries: 1 }] });
      expect(texts(`refused${errcode}`)).toEqual([]);
    });
  }

  const tokenFaults = [
    [40014, () => role.wecom.revokeToken()],
    [42001, () => role.wecom.setFaults([{ api: 'message/send', errcode: 42001 }])],
  ] as const;
  for (const [errcode, spoil] of tokenFaults) {
    test(`${errcode} has the token refreshed once for both replicas, and every message sent`, async () => {
      // One replica may have sent all so far: the other would still hold an older token, and spend the refusal on that.
      for (const { ask } of [role.first, role.second]) {
        expect(await ask('GET /v1/directory/callback-ranges')).toMatchObject({ status: 200 });
      }
      const before = role.wecom.answers('gettoken').length;
      spoil();
      const sends = Array.from({ length: 10 }, (_, number) =>
        replica(number).client.send({ to: { users: [`token${number}`] }, text: `${errcode}` }),
      );
      expect((await Promise.all(sends)).map(({ state }) => state)).toEqual(Array(10).fill('sent'));
      expect(role.wecom.answers('gettoken')).toHaveLength(before + 1);
    });
  }

  const passing = [
    ['-1', { errcode: -1 }, false],
    ['an HTTP status of 500', { status: 500 }, true],
    ['a connection that is cut', { cut: true }, true],
  ] as const;
  for (const [name, fault, isMaybeTwice] of passing) {
    test(`${name} is tried again`, async () => {
      const user = `again${name.length}`;
      role.wecom.setFaults([{ api: 'message/send', ...fault }]);
      const { body } = await sendTo(user);
      expect(body).toMatchObject({ state: 'sent', msgid: expect.any(String) });
      const { body: seen } = await role.second.ask(`GET /v1/messages/${body.id}`);
      expect(seen.receivers).toMatchObject([{ maybeTwice: isMaybeTwice, attempts: [{}, { errcode: 0 }] }]);
      expect(texts(user)).toEqual(['hello']);
    });
  }

  test('whom it does not reach is named, the others have it', async () => {
    const to = { users: ['reached', 'unlicensed'], departments: [1, 99], tags: [1] };
    const { status, body } = await sendTo('', { to });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { state: 'sent', invaliduser: ['unlicensed'], invalidparty: ['99'] },
    });
    expect(texts('reached')).toEqual(['hello']);
  });
});

test('what failed is found in the list, and sent again from the other replica', async () => {
  role.wecom.setFaults([{ api: 'message/send', errcode: 60011 }]);
  const { body } = await sendTo('invisible');
  const list = await role.second.ask('GET /v1/messages?state=failed&receiver=user:invisible');
  expect(list.body.messages).toMatchObject([{ id: body.id, counts: { failed: 1 } }]);
  expect(await role.second.ask(`POST /v1/messages/${body.id}/resend`)).toMatchObject({ status: 202 });
  await expect.poll(stateOf(body.id), patiently).toBe('sent');
  expect(texts('invisible')).toEqual(['hello']);
});

test('each replica is ready, and counts what it did', async () => {
  const metrics: string[] = [];
  for (const { internalUrl } of [role.first, role.second]) {
    expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200);
    metrics.push(await (await fetch(`${internalUrl}/metrics`)).text());
  }
  const count = (series: string): number =>
    metrics
      .join('\n')
      .split('\n')
      .filter((line) => line.startsWith(series))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  const arrived = role.wecom.answers('message/send').filter((errcode) => errcode === 0).length;
  expect(count('keypad_push_sends_total{lane="normal",errcode="0"}')).toBe(arrived);
  expect(count('keypad_push_sends_total{lane="normal",errcode="45002"}')).toBe(1);
  expect(count('keypad_push_accepted_total{lane="normal"}')).toBeGreaterThan(80);
  expect(metrics.join()).toMatch(/keypad_push_queue_depth\{lane="alert",account=""\} 0\n/);
  expect(metrics.join()).toMatch(/keypad_push_queue_age_seconds\{lane="bulk",account=""\} 0\n/);
  expect(metrics.join()).toMatch(/keypad_push_breaker_state\{account="default"\} 0\n/);
  expect(count('keypad_push_api_seconds_count{route="/v1/messages",status="202"}')).toBe(40);
});

test('a WeCom that is away opens the breaker; when it is back all arrive, in order', async () => {
  role.wecom.setFaults([{ api: 'message/send', status: 503, times: 'always' }]);
  const pushes = Array.from({ length: 60 }, (_, number) =>
    replica(number).client.push({ to: { users: [`away${number}`] }, text: `${number}` }),
  );
  await Promise.all(pushes);
  await role.first.client.push({ to: { users: ['away0'] }, text: 'after' });
  const isOpen = async () =>
    (await (await fetch(`${role.first.internalUrl}/metrics`)).text()).includes(
      'keypad_push_breaker_state{account="default"} 2\n',
    );
  await expect.poll(isOpen, patiently).toBe(true);
  role.wecom.setFaults([]);
  await expect
    .poll(() => pushes.filter((_, number) => texts(`away${number}`).length > 0), patiently)
    .toHaveLength(60);
  await expect.poll(() => texts('away0'), patiently).toEqual(['0', 'after']);
}, 60_000);

test('no key, secret or token stands in a log', () => {
  const log = role.log();
  expect(log).toContain('"status":502');
  for (const secret of role.secrets) expect(log).not.toContain(secret);
});
