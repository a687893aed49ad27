import { createServer } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApiName } from '../../../demo/wecom/api-call.ts';
import { createWeComApi } from '../../../src/wecom/api/api.ts';
import { openApp } from '../../../src/wecom/api/app.ts';
import { createMessenger, type Messenger } from '../../../src/wecom/api/messenger.ts';
import { errorOf, hello, messengerTo, PNG, ROBOT_KEY, startSimulator } from './messenger-harness.ts';
import { createMemoryTokenStore, startScriptedWeCom } from './scripted-wecom.ts';

const weCom = await startSimulator();
const scripted = await startScriptedWeCom();
afterAll(async () => {
  await weCom.stop();
  await scripted.stop();
});
beforeEach(() => {
  weCom.setFaults([]);
  weCom.arrivals.clear();
  scripted.reset();
});

const toLisi = { users: ['lisi'] };

/** Every method, by the API that it calls. */
const methods: readonly (readonly [ApiName, (messenger: Messenger) => Promise<unknown>])[] = [
  ['message/send', (messenger) => messenger.send(hello, toLisi)],
  ['message/recall', (messenger) => messenger.recall('m')],
  ['appchat/send', (messenger) => messenger.sendToChat('oncall', hello)],
  ['media/upload', (messenger) => messenger.upload('image', 'x.png', PNG)],
  ['webhook/send', (messenger) => messenger.sendToRobot(ROBOT_KEY, hello)],
  ['webhook/upload_media', (messenger) => messenger.uploadForRobot(ROBOT_KEY, 'x.txt', PNG)],
];

/** Those whose body the scripted server can read. */
const sends = methods.filter(([api]) => !api.includes('upload'));

/** A port on loopback where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
}

test('nothing is sent by a process that stood still while it waited for the token', async () => {
  let now = Date.now();
  const store = createMemoryTokenStore();
  const tokens = {
    ...store,
    write: async (token: Parameters<typeof store.write>[0]) => {
      now += 16_000;
      await store.write(token);
    },
  };
  const { messenger } = messengerTo(weCom.url, { tokens, now: () => now });
  expect((await errorOf(messenger.send(hello, toLisi))).errcode).toBe('unsent');
  expect(weCom.arrived('lisi')).toEqual([]);
  await messenger.send(hello, toLisi);
  expect(weCom.arrived('lisi')).toHaveLength(1);
});

describe('HTTP 200 with an errcode is never success', () => {
  test.each([
    [-1, 'retry'],
    [45009, 'limit'],
    [45033, 'limit'],
    [60020, 'account'],
    [48002, 'account'],
    [50003, 'account'],
    [301002, 'account'],
    [40001, 'account'],
    [40003, 'permanent'],
    [40007, 'permanent'],
    [40058, 'permanent'],
    [40201, 'permanent'],
    [45002, 'permanent'],
    [81013, 'permanent'],
    [82001, 'permanent'],
    [93000, 'permanent'],
    [86008, 'permanent'],
    [7_654_321, 'permanent'],
  ] as const)('%d is of the kind %s, asked once, and nothing arrives', async (errcode, kind) => {
    weCom.setFaults([{ api: 'message/send', errcode, times: 'always' }]);
    const before = weCom.answers('message/send').length;
    const error = await errorOf(messengerTo(weCom.url).messenger.send(hello, toLisi));
    expect(error).toMatchObject({ api: 'message/send', errcode, kind });
    expect(weCom.answers('message/send').length - before).toBe(1);
    expect(weCom.arrived('lisi')).toEqual([]);
  });

  test.each(methods)('of %s', async (api, call) => {
    weCom.setFaults([{ api, errcode: 45009 }]);
    expect(await errorOf(call(messengerTo(weCom.url).messenger))).toMatchObject({ api, errcode: 45009 });
  });
});

describe('an answer that did not come is lost, because the message may have arrived:', () => {
  test.each([
    ['a cut connection', { cut: true }],
    ['a gateway error', { status: 502 }],
    ['silence', { hang: true }],
  ])('%s', async (_, how) => {
    const { messenger } = messengerTo(weCom.url, { timeoutMs: 300 });
    for (const tookEffect of [true, false]) {
      weCom.setFaults([{ api: 'message/send', ...how, tookEffect, times: 'always' }]);
      const before = weCom.answers('message/send').length;
      expect(await errorOf(messenger.send(hello, toLisi))).toMatchObject({ errcode: 'lost', kind: 'retry' });
      expect(weCom.answers('message/send').length - before).toBe(1);
    }
    expect(weCom.arrivals.count('lisi')).toBe(1);
  });

  const tooLong = { errcode: 0, more: 'a'.repeat(1024 * 1024) };
  test.each([{ raw: '{}' }, { raw: 'null' }, { raw: '<html>' }, { raw: '{"errcode":"0"}' }, tooLong])(
    '%.40j',
    async (answer) => {
      for (const [api, call] of sends) {
        scripted.script(api, answer);
        expect(await errorOf(call(messengerTo(scripted.url).messenger))).toMatchObject({
          api,
          errcode: 'lost',
        });
      }
    },
  );
});

describe('nothing was sent', () => {
  test('when WeCom cannot be reached', async () => {
    const { messenger } = messengerTo(await deadUrl());
    for (const [, call] of methods)
      expect(await errorOf(call(messenger))).toMatchObject({ errcode: 'unsent' });
  });

  test('when the answer to gettoken got lost', async () => {
    weCom.setFaults([{ api: 'gettoken', status: 502, times: 'always' }]);
    const error = await errorOf(messengerTo(weCom.url).messenger.send(hello, toLisi));
    expect(error).toMatchObject({ api: 'gettoken', errcode: 'unsent', kind: 'retry' });
  });

  test('when the shared token cannot be read, as while the database is away', async () => {
    const away = async () => Promise.reject(new Error('mysql://push:password@host refused'));
    const tokens = { ...createMemoryTokenStore(), read: away };
    const error = await errorOf(messengerTo(weCom.url, { tokens }).messenger.send(hello, toLisi));
    expect(error).toMatchObject({ errcode: 'unsent', kind: 'retry' });
    expect(error.message).not.toContain('password');
  });
});

describe('the access token', () => {
  test.each([40014, 42001])(
    'refused with %d is fetched anew, and the call made once more',
    async (errcode) => {
      const { messenger } = messengerTo(weCom.url);
      weCom.setFaults([{ api: 'message/send', errcode }]);
      await messenger.send(hello, toLisi);
      expect(weCom.arrivals.count('lisi')).toBe(1);
      weCom.setFaults([{ api: 'message/send', errcode, times: 'always' }]);
      const before = weCom.answers('message/send').length;
      expect(await errorOf(messenger.send(hello, toLisi))).toMatchObject({ errcode, kind: 'token' });
      expect(weCom.answers('message/send').length - before).toBe(2);
    },
  );

  test('that WeCom took back is replaced once by fifty calls of two replicas', async () => {
    const tokens = createMemoryTokenStore();
    const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
    const replicas = [messengerTo(weCom.url, { tokens, sleep }), messengerTo(weCom.url, { tokens, sleep })];
    for (const { messenger } of replicas) await messenger.sendToChat('oncall', hello);
    weCom.revokeToken();
    const before = weCom.answers('gettoken').length;
    const sends = Array.from({ length: 50 }, (_, i) =>
      replicas[i % 2]?.messenger.sendToChat('oncall', hello),
    );
    await Promise.all(sends);
    expect(weCom.answers('gettoken').length - before).toBe(1);
    expect(weCom.arrivals.count('chat:oncall')).toBe(52);
  });

  test('is shared by the clients of one process', async () => {
    const { settings } = messengerTo(weCom.url);
    const shared = openApp({ ...settings, tokens: { ...settings.tokens, read: async () => null } });
    const before = weCom.answers('gettoken').length;
    await createWeComApi(shared).user('lisi');
    await createMessenger(shared).send(hello, toLisi);
    expect(weCom.answers('gettoken').length - before).toBe(1);
  });

  test('of a wrong secret is asked for once a minute, however many messages wait', async () => {
    const { messenger } = messengerTo(weCom.url, { secret: 'wrong', now: () => 0 });
    const before = weCom.answers('gettoken').length;
    for (let count = 0; count < 20; count += 1) {
      expect(await errorOf(messenger.send(hello, toLisi))).toMatchObject({ errcode: 40001, kind: 'account' });
    }
    expect(weCom.answers('gettoken').length - before).toBe(1);
  });
});

test('no error quotes a token, a secret or the key of a robot, even when WeCom does', async () => {
  const secret = 'the+app/secret=';
  const quoted = { token: 'token-1', key: ROBOT_KEY, secret: `${secret} ${encodeURIComponent(secret)}` };
  const bad = (quote: string) => ({ errcode: 40058, errmsg: `bad request ?x=${quote}` });
  const { messenger, calls, settings } = messengerTo(scripted.url, { secret });
  const errors: Error[] = [];
  for (const [api, call] of sends) {
    scripted.script(api, bad(api.startsWith('webhook') ? quoted.key : quoted.token));
    errors.push(await errorOf(call(messenger)));
  }
  scripted.script('gettoken', bad(quoted.secret));
  const another = messengerTo(scripted.url, { ...settings, tokens: createMemoryTokenStore() }).messenger;
  errors.push(await errorOf(another.send(hello, toLisi)));
  for (const [api, call] of methods) {
    weCom.setFaults([{ api, cut: true }]);
    errors.push(await errorOf(call(messengerTo(weCom.url).messenger)));
  }
  const told = errors.map((error) => `${error.message} ${error.stack} ${JSON.stringify(error)}`);
  const text = `${told.join()} ${JSON.stringify(calls)}`;
  for (const value of ['token-1', ROBOT_KEY, secret, encodeURIComponent(secret)]) {
    expect(text).not.toContain(value);
  }
});
