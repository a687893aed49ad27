import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRefused, PushError } from '../../../src/push/client.ts';
import { type ApiHarness, openApiHarness } from '../http/api-harness.ts';
import { type Behind, openMessageRoutes } from './message-routes-harness.ts';

let api: ApiHarness;
let behind: Behind;
beforeAll(async () => {
  api = await openApiHarness((parts) => {
    const opened = openMessageRoutes(parts);
    behind = opened.behind;
    return opened.routes;
  });
  await api.newApp('ci', ['text', 'account:shop', 'account:gone']);
  await api.newApp('any', ['text', 'account:*']);
  await api.newApp('other', ['text']);
});
afterAll(() => api.stop());

const hand = (app: string, account?: unknown) =>
  api.say({ app, path: '/v1/messages', json: { to: { users: ['anna'] }, text: 'hello', account } });

test.each(['ci', 'any'])(
  'an app with the scope sends through another account, and sees which: %s',
  async (app) => {
    const { status, body } = await hand(app, 'shop');
    expect(status).toBe(202);
    expect(behind.made.at(-1)).toMatchObject({ account: 'shop' });
    expect((await api.say({ app, path: `/v1/messages/${body.id}` })).body).toMatchObject({ account: 'shop' });
  },
);

test('without a name it is the default account, which takes no scope', async () => {
  expect((await hand('other')).status).toBe(202);
  expect((await hand('other', 'default')).status).toBe(202);
});

test('without the scope another account is refused, whether it is there or not', async () => {
  for (const account of ['shop', 'nowhere']) {
    expect(await hand('other', account)).toMatchObject({ status: 403 });
  }
});

test('what waits for an account waits on when there is none of its name; what is wrong itself does not', async () => {
  const isFinal = async (account: unknown) =>
    isRefused(new PushError((await hand('any', account)).status, 'It was refused.'));
  expect([await isFinal('gone'), await isFinal('../shop')]).toEqual([false, true]);
});

test('an account that is not there, or has no possible name, is refused in a sentence', async () => {
  expect(await hand('ci', 'gone')).toMatchObject({
    status: 404,
    body: { error: 'account: there is no account "gone"; ACCOUNTS_FILE would define it.' },
  });
  for (const account of ['Shop', '', '../shop', 7, null]) {
    expect(await hand('any', account)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('account') },
    });
  }
});
