import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NewMessage } from '../../../src/push/content/message.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { type DeliveryReplica, openReplica } from '../delivery/delivery-harness.ts';
import { scriptedWeCom } from '../delivery/scripted-wecom.ts';
import { type ApiHarness, type ApiResponse, openApiHarness } from '../http/api-harness.ts';
import { openMessageRoutes } from './message-routes-harness.ts';

const weCom = scriptedWeCom();
let api: ApiHarness;
let replica: DeliveryReplica;
beforeAll(async () => {
  api = await openApiHarness(
    ({ db, url, now }) => {
      replica = openReplica({ mysqlUrl: url, messenger: weCom.messenger });
      return openMessageRoutes({ db, now, messageQueue: replica }).routes;
    },
    { realClock: true },
  );
  await api.newApp('ci', ['text', 'to:users', 'to:departments', 'to:chats']);
  await api.newApp('other', ['text']);
  replica.start();
});
afterAll(async () => {
  await replica.close();
  await api.stop();
});
beforeEach(() => {
  weCom.script = () => undefined;
  weCom.sent.length = 0;
  weCom.recalled.length = 0;
});

const send = (json: object, app = 'ci'): Promise<ApiResponse> =>
  api.say({ path: '/v1/messages', json: { wait: true, opaque: 'yours', ...json }, app });
const to = (...users: string[]) => ({ to: { users } });

describe('who waits for WeCom', () => {
  test('gets its msgid, and those whom it did not reach', async () => {
    weCom.script = () => ({
      msgid: 'MSG-1',
      invalid: { users: ['nobody'], parties: ['9'], tags: [] },
    });
    const answer = await send({ to: { users: ['a1', 'nobody'], departments: [9] }, text: 'hello' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({
      id: expect.any(String),
      state: 'sent',
      msgid: 'MSG-1',
      invaliduser: ['nobody'],
      invalidparty: ['9'],
      opaque: 'yours',
    });
    const { body } = await api.say({ path: `/v1/messages/${answer.body.id}` });
    expect(body).toMatchObject({ state: 'partial', finishedAt: expect.any(String) });
    expect(body.receivers[1]).toMatchObject({ receiver: 'user:nobody', state: 'failed', errcode: 81013 });
    expect(body.receivers[0]?.attempts).toMatchObject([{ errcode: 0, msgid: 'MSG-1' }]);
  });

  test('gets the msgids of all parts of a long text', async () => {
    const answer = await send({ ...to('a2'), text: 'x'.repeat(5000) });
    expect(answer.body.msgids).toHaveLength(3);
    expect(answer.body.msgid).toBe(answer.body.msgids[2]);
  });

  test('gets the errcode of WeCom, and what to do, as a failure', async () => {
    weCom.script = () => {
      throw new WeComError('message/send', 60011, 'no privilege to access this member');
    };
    const answer = await send({ ...to('a3'), text: 'hello' });
    expect(answer).toMatchObject({ status: 502, body: { state: 'failed', errcode: 60011, opaque: 'yours' } });
    expect(answer.body.error).toContain('message/send failed with 60011');
    expect(answer.body.advice).toContain('visible range');
  });

  test('gets the same answer under the same idempotency key, at once or later, and it is sent once', async () => {
    const message = { ...to('a4'), text: 'once', idempotencyKey: 'wait-1' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(message)));
    answers.push(await send(message));
    for (const { status, body } of answers)
      expect({ status, body }).toEqual({ status: 200, body: answers[0]?.body });
    expect(weCom.textsTo('user:a4')).toEqual(['once']);
  });

  test('has the same message as who did not wait, under the same idempotency key', async () => {
    const message = { ...to('a6'), text: 'once', idempotencyKey: 'wait-3' };
    const pushed = await send({ ...message, wait: false });
    expect(pushed.status).toBe(202);
    expect(await send(message)).toMatchObject({ status: 200, body: { id: pushed.body.id } });
    expect(await send({ ...message, wait: false })).toMatchObject({ status: 202, body: pushed.body });
    expect(weCom.textsTo('user:a6')).toEqual(['once']);
  });

  test('gets the same failure under the same idempotency key', async () => {
    weCom.script = () => {
      throw new WeComError('message/send', 40003, 'invalid userid');
    };
    const message = { ...to('a5'), text: 'once', idempotencyKey: 'wait-2' };
    const first = await send(message);
    expect(first).toMatchObject({ status: 502, body: { errcode: 40003 } });
    expect(await send(message)).toMatchObject({ status: 502, body: first.body });
    expect(weCom.textsTo('user:a5')).toHaveLength(1);
  });

  test('has the own answer among 20 who wait and 20 who do not', async () => {
    weCom.script = ({ to: [receiver] }) => ({ msgid: `of ${receiver}` });
    const callers = Array.from({ length: 40 }, (_, n) => ({
      user: `many${n}`,
      opaque: `o${n}`,
      wait: n % 2 === 0,
    }));
    const answers = await Promise.all(
      callers.map(({ user, ...rest }) => send({ ...to(user), text: user, ...rest })),
    );
    answers.forEach(({ status, body }, n) => {
      const waited = { state: 'sent', msgid: `of user:many${n}`, opaque: `o${n}` };
      expect({ status, body }).toMatchObject(
        n % 2 === 0
          ? { status: 200, body: waited }
          : { status: 202, body: { state: 'queued', opaque: `o${n}` } },
      );
    });
  });
});

test('a message can be recalled, by its own app only', async () => {
  const { body } = await send({ ...to('b1'), text: 'oops' });
  const path = `/v1/messages/${body.id}/recall`;
  expect(await api.say({ path, method: 'POST', app: 'other' })).toMatchObject({ status: 404 });
  expect(weCom.recalled).toEqual([]);
  expect(await api.say({ path, method: 'POST' })).toMatchObject({
    status: 200,
    body: { id: body.id, recalled: 1, kept: [] },
  });
  expect(weCom.recalled).toEqual([body.msgid]);
  const seen = await api.say({ path: `/v1/messages/${body.id}` });
  expect(seen.body.state).toBe('recalled');
  const again = await api.say({ path, method: 'POST' });
  expect(again).toMatchObject({ status: 409, body: { error: expect.stringContaining('before'), kept: [] } });
});

test('who recalls what nobody got is refused, and told why', async () => {
  weCom.script = () => {
    throw new WeComError('message/send', 40003, 'invalid userid');
  };
  const { body } = await send({ ...to('b1'), text: 'oops' });
  const recalled = await api.say({ path: `/v1/messages/${body.id}/recall`, method: 'POST' });
  const reason = expect.stringContaining('not delivered');
  expect(recalled).toMatchObject({ status: 409, body: { error: reason, kept: [{ reason }] } });
});

test('what failed can be listed and sent again, by its own app only', async () => {
  weCom.script = () => {
    throw new WeComError('message/send', 40003, 'invalid userid');
  };
  const { body } = await send({ ...to('b2'), text: 'again' });
  weCom.script = () => undefined;
  const listed = await api.say({ path: '/v1/messages?state=failed&receiver=user:b2' });
  expect(listed.body.messages).toMatchObject([{ id: body.id, state: 'failed' }]);
  const path = `/v1/messages/${body.id}/resend`;
  expect(await api.say({ path, method: 'POST', app: 'other' })).toMatchObject({ status: 404 });
  expect(await api.say({ path, method: 'POST' })).toMatchObject({ status: 202, body: { queued: 1 } });
  await expect.poll(async () => (await api.say({ path: `/v1/messages/${body.id}` })).body.state).toBe('sent');
  expect(await api.say({ path, method: 'POST' })).toMatchObject({ status: 409 });
});

test('what failed is not sent again by an app that may not send it any more', async () => {
  weCom.script = () => {
    throw new WeComError('message/send', 40003, 'invalid userid');
  };
  const { body } = await send({ ...to('b3'), text: 'never again' });
  const again = () => api.say({ path: `/v1/messages/${body.id}/resend`, method: 'POST' });
  const change = async (scopes: readonly string[]) => {
    await api.keys.change('ci', { scopes });
    const known = async () => (await api.keys.find('ci'))?.scopes.words;
    await expect.poll(known, { timeout: 5000 }).toEqual(scopes);
  };
  const forbidden = (what: string) => ({ status: 403, body: { error: expect.stringContaining(what) } });
  await change(['markdown', 'to:users']);
  expect(await again()).toMatchObject(forbidden('content of the kind text'));
  await change(['text', 'to:chats']);
  expect(await again()).toMatchObject(forbidden('to user:b3'));
  await change(['text', 'to:users', 'to:departments', 'to:chats']);
  expect(await again()).toMatchObject({ status: 202, body: { queued: 1 } });
});

test.each(['GET /v1/messages/none', 'POST /v1/messages/none/recall', 'POST /v1/messages/none/resend'])(
  '%s is not there',
  async (line) => {
    const [method = '', path = ''] = line.split(' ');
    expect(await api.say({ method, path })).toMatchObject({ status: 404 });
  },
);

test('who waits is answered as soon as the server is about to close, and the message goes on', async () => {
  const waiting = Promise.withResolvers<void>();
  const messageQueue = {
    accept: (message: NewMessage) => replica.accept(message),
    finished: () => {
      waiting.resolve();
      return new Promise<boolean>(() => {});
    },
    recall: async () => null,
    resend: async () => null,
  };
  const closing = await openApiHarness(
    ({ now }) => openMessageRoutes({ db: api.db, now, messageQueue }).routes,
    {
      realClock: true,
    },
  );
  await closing.newApp('ci', ['text']);
  const answer = closing.say({ path: '/v1/messages', json: { ...to('c1'), text: 'late', wait: true } });
  await waiting.promise;
  await closing.stop();
  const { status, body } = await answer;
  expect({ status, body }).toMatchObject({
    status: 202,
    body: { state: 'queued', note: expect.any(String) },
  });
  await expect.poll(async () => (await api.say({ path: `/v1/messages/${body.id}` })).body.state).toBe('sent');
});
