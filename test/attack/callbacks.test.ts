import { afterAll, expect, test } from 'vitest';
import { APP, cipher, envelope, startBot } from '#test/bot.ts';
import { attacks } from '#test/size.ts';
import { createCipher } from '../../src/wecom/crypto/cipher.ts';
import { type Chance, createChance } from './chance.ts';

const { bot, platform, push, stop } = await startBot();
afterAll(stop);

/** A callback as it goes over the wire. */
interface Callback {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ODD = [
  '\0',
  '\u202e',
  '%00',
  '+',
  '=',
  '&',
  ']]>',
  '<',
  '<!DOCTYPE x>',
  '{"a":',
  '\r\n',
  'ÿ',
  '１',
  '..',
  '9'.repeat(30),
];
const foreigner = createCipher({ ...APP, receiveId: 'ww9999999999999999' });
const otherKey = createCipher({ ...APP, receiveId: APP.corpId, encodingAesKey: 'B'.repeat(43) });
const otherToken = createCipher({ ...APP, receiveId: APP.corpId, token: 'AnotherToken' });
let ids = 1e15;
const message = (seconds = Math.floor(Date.now() / 1000), user = 'zhangsan') => {
  ids += 1;
  return `<xml><ToUserName><![CDATA[${APP.corpId}]]></ToUserName><FromUserName><![CDATA[${user}]]></FromUserName><CreateTime>${seconds}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[1]]></Content><MsgId>${ids}</MsgId><AgentID>${APP.agentId}</AgentID></xml>`;
};

function signed(encrypted: string, by = cipher, timestamp = '1767225600', nonce = 'n0nce'): Callback {
  const query = { msg_signature: by.sign(timestamp, nonce, encrypted), timestamp, nonce };
  return { method: 'POST', path: '/wecom/callback', query, body: envelope(encrypted), headers: {} };
}
const honest = () => signed(cipher.encrypt(message()));
const withQuery = (callback: Callback, query: Record<string, string>) => ({
  ...callback,
  query: { ...callback.query, ...query },
});
const flipped = (text: string, { below }: Chance) => {
  const bytes = Buffer.from(text, 'base64');
  const at = below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
  return bytes.toString('base64');
};
/** Another digit of the signature than it has. */
const respelt = (text: string, { below }: Chance) => {
  const at = below(text.length);
  return `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
};

/** Twenty-two kinds of what is not a message of WeCom's: each has something that was not signed, or not by it, or means nothing. */
const KINDS: Readonly<Record<string, (chance: Chance) => Callback>> = {
  'a digit of the signature': (c) => {
    const one = honest();
    return withQuery(one, { msg_signature: respelt(one.query.msg_signature ?? '', c) });
  },
  'the signature in capitals': () => {
    const one = honest();
    return withQuery(one, { msg_signature: `${one.query.msg_signature?.toUpperCase()}` });
  },
  'the signature mutated': (c) => {
    const one = honest();
    const is = one.query.msg_signature ?? '';
    const changed = c.mutate(is, ODD);
    return withQuery(one, { msg_signature: changed === is ? '' : changed });
  },
  'another time': (c) => withQuery(honest(), { timestamp: `${1_767_225_601 + c.below(1e6)}` }),
  'another nonce': (c) => withQuery(honest(), { nonce: `n${c.below(1e9)}x` }),
  'an odd query': (c) =>
    withQuery(honest(), { [c.pick(['timestamp', 'nonce', 'msg_signature'])]: c.pick(ODD) }),
  'a value left out': (c) => withQuery(honest(), { [c.pick(['timestamp', 'nonce', 'msg_signature'])]: '' }),
  'a bit of the ciphertext': (c) => {
    const encrypted = cipher.encrypt(message());
    return { ...signed(encrypted), body: envelope(flipped(encrypted, c)) };
  },
  'a bit of the ciphertext, signed anew': (c) => signed(flipped(cipher.encrypt(message()), c), otherToken),
  'the ciphertext of another message': () => ({ ...honest(), body: envelope(cipher.encrypt(message())) }),
  'a head moved to the nonce': (c) => {
    const encrypted = cipher.encrypt(message());
    const one = signed(encrypted);
    const cut = 1 + c.below(encrypted.length - 1);
    const body = envelope(encrypted.slice(cut));
    return { ...withQuery(one, { nonce: `${one.query.nonce}${encrypted.slice(0, cut)}` }), body };
  },
  'a tail moved to the nonce': (c) => {
    const encrypted = cipher.encrypt(message());
    const one = signed(encrypted, cipher, '1767225600', 'zz');
    const cut = 1 + c.below(encrypted.length - 1);
    const body = envelope(encrypted.slice(0, cut));
    return { ...withQuery(one, { nonce: `${encrypted.slice(cut)}zz` }), body };
  },
  'of another corp': () => signed(foreigner.encrypt(message())),
  'under another key': () => signed(otherKey.encrypt(message())),
  'under another token': () => signed(otherToken.encrypt(message()), otherToken),
  'from an hour ago, or in an hour': (c) =>
    signed(cipher.encrypt(message(Math.floor(Date.now() / 1000) + c.pick([-3600, 3600]) - c.below(100)))),
  'what means nothing': (c) => signed(cipher.encrypt(`<xml>${c.pick(ODD)}`)),
  'from what is no member': (c) =>
    signed(cipher.encrypt(message(undefined, `:${c.pick(ODD).replaceAll(']]>', '')}`))),
  'a body mutated beyond its ciphertext': (c) => {
    const one = honest();
    const encrypted = cipher.encrypt(message());
    return { ...one, body: c.mutate(envelope(encrypted), ODD) };
  },
  'a message presented as an echo': () => {
    const encrypted = cipher.encrypt(message());
    return { ...withQuery(signed(encrypted), { echostr: encrypted }), method: 'GET' };
  },
  'a reply of ours': () => {
    const reply = `<xml><ToUserName>zhangsan</ToUserName><FromUserName>${APP.corpId}</FromUserName><CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime><MsgType>text</MsgType><Content>1</Content></xml>`;
    return signed(cipher.encrypt(reply));
  },
  'another path, method or header': (c) => ({
    ...honest(),
    ...c.pick<Partial<Callback>>([
      { method: 'PUT' },
      { method: 'GET' },
      { path: '/wecom/callback/default' },
      { path: '/wecom/callback/..%2f' },
      { path: '//wecom/callback' },
      { headers: { 'content-length': '1' } },
      { headers: { 'content-encoding': 'gzip' }, body: '\x1f\x8b' },
      { body: 'x'.repeat(65_537) },
    ]),
  }),
};

test('of all these none is taken, none is a 5xx, nothing grows', async () => {
  const chance = createChance('callbacks');
  const total = attacks(1500, 110_000);
  const names = Object.keys(KINDS);
  expect(names.length).toBeGreaterThanOrEqual(20);
  const seen: Record<string, Record<number, number>> = {};
  let settled = 0;
  for (let tried = 0; tried < total; tried += 1) {
    const name = names[tried % names.length] as string;
    const { path, query, body, ...rest } = (KINDS[name] as (chance: Chance) => Callback)(chance);
    const response = await bot.app.inject({
      ...rest,
      url: `${path}?${new URLSearchParams(query)}`,
      payload: body,
    });
    const { statusCode } = response;
    const what = `SEED=${chance.seed}, number ${tried}, ${name}: ${JSON.stringify({ path, query, body, ...rest }).slice(0, 2000)}`;
    if (statusCode >= 500 || /\.ts:|\bat /.test(response.body)) throw new Error(`${statusCode} of ${what}`);
    // What is signed but too old is told so; what is for nobody is answered by nothing.
    const isSaid = name.startsWith('from an hour') && statusCode === 200;
    if (statusCode === 200 && response.body !== '' && !isSaid) throw new Error(`taken: ${what}`);
    seen[name] ??= {};
    const counts = seen[name];
    counts[statusCode] = (counts[statusCode] ?? 0) + 1;
    if (tried === Math.floor(total / 3)) settled = heap();
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  // What was too old asks who may do what, and nothing more; nobody was told anything.
  expect(new Set(platform.calls.map(({ operation }) => operation))).not.toContain('units.list');
  expect(push.attempts).toEqual([]);
  // The scripted platform of the test keeps what it was asked.
  if (total > 10_000) expect(heap() - settled).toBeLessThan(150 * 1024 * 1024);
  const after = honest();
  const answered = await bot.app.inject({
    method: 'POST',
    url: `${after.path}?${new URLSearchParams(after.query)}`,
    payload: after.body,
  });
  expect([answered.statusCode, answered.headers['content-type']]).toEqual([200, 'application/xml']);
});

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
