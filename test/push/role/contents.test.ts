import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { hashOf, isSignedWith, signatureHeaders } from '../../../src/push/apps/signature.ts';
import { startInbox } from '../webhooks/inbox.ts';

const patiently = { timeout: 20_000, interval: 25 };
let role: PushRole;
beforeAll(async () => {
  role = await startPushRole();
});
afterAll(() => role.stop());

const texts = (receiver: string): readonly string[] => role.wecom.arrived(receiver).map(({ text }) => text);
const replica = (number: number) => (number % 2 === 0 ? role.first : role.second);
const stateOf = (id: string) => async () => (await role.second.client.message(id)).state;
const sendTo = (user: string, more: object = {}) =>
  role.first.ask('POST /v1/messages', {
    json: { to: { users: [user] }, text: 'hello', wait: true, ...more },
  });

test('a text over 2048 bytes arrives whole, in parts that end on a character', async () => {
  const text = '磁盘已满😀'.repeat(400);
  const { body } = await sendTo('long', { text });
  expect(body.msgids).toHaveLength(texts('long').length);
  expect(texts('long').join('')).toBe(text);
  expect(texts('long').filter((part) => Buffer.byteLength(part) > 2048 || part.includes('\ufffd'))).toEqual(
    [],
  );
});

test('a value with quotes, backslashes, line feeds and $1 arrives as it is, and each receiver has their own userid', async () => {
  const content = { text: `\${USERID}: \${VALUE:text}` };
  const put = await role.first.ask('PUT /v1/templates/literal', { json: { title: 'literal', content } });
  expect(put.status).toBe(200);
  const VALUE = `"quotes" 'and' \\ \\n \n $1 $& $$ \${USERID} \${VALUE} </div>`;
  const shown = VALUE.replace('<', '＜');
  const template = { key: 'literal', variables: { VALUE } };
  await role.second.client.send({ to: { users: ['anna', 'bert'] }, template });
  expect([texts('anna'), texts('bert')]).toEqual([[`anna: ${shown}`], [`bert: ${shown}`]]);
  const lacking = await role.second.ask('POST /v1/messages', {
    json: { to: { users: ['anna'] }, template: { key: 'literal' } },
  });
  expect(lacking).toMatchObject({ status: 400, body: { error: expect.stringContaining('VALUE') } });
  const preview = await role.second.ask('POST /v1/templates/literal/preview', {
    json: { variables: { VALUE }, userid: 'carl' },
  });
  expect(preview.body.content).toEqual({ text: `carl: ${shown}` });
});

test('a template that is changed at one replica is soon the changed one at the other', async () => {
  const put = (text: string) =>
    role.first.ask('PUT /v1/templates/live', { json: { title: 'live', content: { text } } });
  const use = () => role.second.client.send({ to: { users: ['reader'] }, template: { key: 'live' } });
  await put('one');
  await use();
  await put('two');
  await expect
    .poll(async () => (await use()) && texts('reader').at(-1), { timeout: 2000, interval: 250 })
    .toBe('two');
  await role.first.ask('POST /v1/templates/live/restore', { json: { version: 1 } });
  await expect
    .poll(async () => (await use()) && texts('reader').at(-1), { timeout: 2000, interval: 250 })
    .toBe('one');
});

describe('pictures', () => {
  const png = Buffer.from(`89504e470d0a1a0a${randomUUID().replaceAll('-', '')}`, 'hex');
  test('are not fetched from addresses of our own', async () => {
    const error = 'imageUrl: must be at a host with public addresses only';
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '10.0.0.1', '169.254.169.254', '2130706433']) {
      const imageUrl = `http://${host}/disk.png`;
      const answer = await role.first.ask('POST /v1/messages', {
        json: { to: { users: ['zhangsan'] }, imageUrl },
      });
      expect(answer).toMatchObject({ status: 400, body: { error } });
    }
  });

  test('come as multipart at two replicas at once, arrive whole, and are uploaded once', async () => {
    const send = async (number: number) => {
      const form = new FormData();
      form.append('message', JSON.stringify({ to: { users: ['zhangsan'] }, wait: true }));
      form.append('image', new Blob([png]), 'disk.png');
      const encoded = new Response(form);
      const contentType = encoded.headers.get('content-type') ?? '';
      const bytes = new Uint8Array(await encoded.arrayBuffer());
      return replica(number).ask('POST /v1/messages', { bytes, contentType });
    };
    const answers = await Promise.all([0, 1, 2, 3].map(send));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(role.wecom.uploads.count()).toBe(1);
    const { view } = role.wecom.messages('zhangsan').at(-1) ?? {};
    const src = view?.kind === 'image' ? view.src : '';
    expect(Buffer.from(await (await fetch(role.wecom.url + src)).arrayBuffer())).toEqual(png);
    const again = { image: { sha256: hashOf(png), name: '' } };
    await role.second.client.send({ to: { users: ['zhangsan'] }, ...again });
    expect(role.wecom.uploads.count()).toBe(1);
  });
});

test('a result is told to a host on the list, signed, and again until it is taken', async () => {
  const inbox = await startInbox();
  inbox.answer = ({ json }, response) => {
    const tries = inbox.arrived.filter((each) => each.json.id === json.id).length;
    response.writeHead(tries < 3 ? 500 : 204).end();
  };
  const callbackUrl = `http://127.0.0.1:${inbox.port}/hook?x=1`;
  const { id } = await role.first.client.push({
    to: { users: ['told'] },
    text: 'hello',
    opaque: 'mine',
    callbackUrl,
  });
  await expect.poll(() => inbox.arrived.length, patiently).toBe(3);
  for (const { method, target, headers, body, json } of inbox.arrived) {
    const header = (name: keyof typeof signatureHeaders) => `${headers[signatureHeaders[name]]}`;
    expect(header('contentHash')).toBe(hashOf(body));
    const signed = {
      purpose: 'result' as const,
      method,
      target,
      timestamp: header('timestamp'),
      nonce: header('nonce'),
      bodyHash: hashOf(body),
    };
    expect(header('app')).toBe(role.app.app);
    expect(isSignedWith(role.app.key, signed, header('signature'))).toBe(true);
    expect(json).toMatchObject({ id, state: 'sent', opaque: 'mine', receivers: { total: 1, sent: 1 } });
  }
  const strange = {
    to: { users: ['told'] },
    text: 'hello',
    callbackUrl: `http://127.0.0.2:${inbox.port}/hook`,
  };
  expect(await role.first.ask('POST /v1/messages', { json: strange })).toMatchObject({ status: 400 });
  const metrics = await Promise.all(
    [role.first, role.second].map(async ({ internalUrl }) => (await fetch(`${internalUrl}/metrics`)).text()),
  );
  expect(metrics.join()).toContain('keypad_push_callbacks_total{result="delivered"} 1\n');
  await inbox.stop();
});

test('what is to be sent later is, at its time and not before; recalled until then it never is', async () => {
  const sendAt = new Date(Date.now() + 2000).toISOString();
  const [kept, recalled] = await Promise.all(
    ['later', 'never'].map((user) => role.first.client.push({ to: { users: [user] }, text: user, sendAt })),
  );
  expect(await role.second.ask(`POST /v1/messages/${recalled?.id}/recall`)).toMatchObject({
    body: { recalled: 1 },
  });
  await expect.poll(stateOf(`${kept?.id}`), patiently).toBe('sent');
  expect(role.wecom.arrived('later')[0]?.time).toBeGreaterThanOrEqual(Date.parse(sendAt));
  await expect.poll(stateOf(`${recalled?.id}`), patiently).toBe('recalled');
  expect(texts('never')).toEqual([]);
});

test('what was sent is taken off the phone again, from the other replica', async () => {
  const { id } = await role.first.client.send({ to: { users: ['lisi'] }, text: 'taken back' });
  const shown = () => role.wecom.messages('lisi').map(({ text }) => text);
  expect(shown()).toContain('taken back');
  await role.second.ask(`POST /v1/messages/${id}/recall`);
  expect(shown()).not.toContain('taken back');
  expect(await stateOf(id)()).toBe('recalled');
});

test('markdown reaches those who read in WeChat as plain text', async () => {
  const to = { users: ['work', 'wechat'] };
  await role.first.client.send({ to, markdown: '**hello**', plainTextFor: ['wechat'] });
  const kinds = ['work', 'wechat'].map((user) =>
    role.wecom.arrived(user).map(({ msgtype, text }) => [msgtype, text]),
  );
  expect(kinds).toEqual([[['markdown', '**hello**']], [['text', 'hello']]]);
});
