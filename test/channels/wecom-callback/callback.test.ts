import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { APP, cipher, envelope, signedPath, startBot } from '#test/bot.ts';
import { createCipher } from '../../../src/wecom/crypto/cipher.ts';
import { text } from '../../../src/wecom/xml/element.ts';
import { readXml } from '../../../src/wecom/xml/parser.ts';

const { bot, wecom, platform, lines, stop } = await startBot({ TRUSTED_PROXIES: '10.1.0.0/16' });
afterAll(stop);

const from = (remoteAddress: string) => ({ remoteAddress });
const post = (url: string, payload: string, more = {}) =>
  bot.app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'text/xml' }, ...more });
const textMessage = (content: string, more = '') =>
  `<xml><ToUserName><![CDATA[${APP.corpId}]]></ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${content}]]></Content><MsgId>${Math.floor(Math.random() * 1e15)}</MsgId><AgentID>${APP.agentId}</AgentID>${more}</xml>`;

test('the URL is verified with the raw plaintext, and a + in echostr survives', async () => {
  const echostr = '4j/AuRx71kQlxVlzbpsMWJjMsjpJosu13lhGTX9+fPOhVMvjCLPMSXQ62Q9/+ekfZX6HFRH1+Bs2itKwuSGOxg==';
  for (const written of [echostr, encodeURIComponent(echostr)]) {
    const response = await bot.app.inject({ method: 'GET', url: signedPath(echostr, `&echostr=${written}`) });
    expect(response.statusCode).toBe(200);
    expect(response.rawPayload).toEqual(Buffer.from('7000000000000000000'));
  }
  expect(await wecom.verifyUrl()).toBeUndefined();
});

test('the URL may end in a slash', async () => {
  const sealed = cipher.encrypt(textMessage('hi'));
  const slashed = (path: string) => path.replace('?', '/?');
  const echo = cipher.encrypt('7000000000000000000');
  const verified = await bot.app.inject({
    url: slashed(signedPath(echo, `&echostr=${encodeURIComponent(echo)}`)),
  });
  expect(verified.statusCode).toBe(200);
  const answered = await post(slashed(signedPath(sealed)), envelope(sealed));
  expect([answered.statusCode, answered.headers['content-type']]).toEqual([200, 'application/xml']);
});

test('a wrong signature is 403 and nothing is decrypted', async () => {
  const encrypted = cipher.encrypt(textMessage('1'));
  const url = signedPath(encrypted).replace(/msg_signature=./, 'msg_signature=0');
  for (const response of [
    await post(url.replace('msg_signature=0', 'msg_signature=z'), envelope(encrypted)),
    // What cannot be decoded is not what was signed.
    await post(`${signedPath(encrypted)}%zz`, envelope(encrypted)),
    await post(`${signedPath(encrypted)}%ff`, envelope(encrypted)),
    await bot.app.inject({
      method: 'GET',
      url: `${signedPath('AAAA')}&echostr=${encodeURIComponent(encrypted)}`,
    }),
  ]) {
    expect([response.statusCode, response.body]).toEqual([403, 'signature mismatch\n']);
  }
});

describe('what somebody has kept', () => {
  const get = (encrypted: string) =>
    bot.app.inject({
      method: 'GET',
      url: signedPath(encrypted, `&echostr=${encodeURIComponent(encrypted)}`),
    });
  const MALFORMED = [400, 'malformed request\n'];

  test.each([
    ['a message', textMessage('secret')],
    ['a reply', '<xml><Content>secret</Content></xml>'],
    ['a JSON event', '{"secret":1}'],
    ['nothing', ''],
    ['words', 'secret words'],
    ['a line', 'secret\n'],
    ['more than an echo has', 's'.repeat(65)],
  ])('is not decrypted for who presents it as an echo: %s', async (_, plaintext) => {
    const response = await get(cipher.encrypt(plaintext));
    expect([response.statusCode, response.body]).toEqual(MALFORMED);
  });

  test.each([
    ['of another corp', createCipher({ ...APP, receiveId: 'ww9999999999999999' }).encrypt('1')],
    [
      'under another key',
      createCipher({ ...APP, receiveId: APP.corpId, encodingAesKey: 'A'.repeat(43) }).encrypt('1'),
    ],
    ['no message', cipher.encrypt('<xml>')],
    ['a message from what is no member', cipher.encrypt(textMessage('1').replace('[zhangsan]', '[a:b]'))],
    ['an echo', cipher.encrypt('7000000000000000000')],
  ])('and cannot be used is one sentence to the caller, and the log says why: %s', async (_, encrypted) => {
    const before = lines.length;
    const response = await post(signedPath(encrypted), envelope(encrypted));
    expect([response.statusCode, response.body]).toEqual(MALFORMED);
    expect(lines.slice(before).join('')).toMatch(/"problem":"[^"]{10,}/);
  });

  test('of our own replies is no message, though it is signed', async () => {
    const encrypted = cipher.encrypt(textMessage('hi'));
    const answered = await post(signedPath(encrypted), envelope(encrypted));
    const read = (name: string) => text(readXml(answered.body), name);
    const query = `msg_signature=${read('MsgSignature')}&timestamp=${read('TimeStamp')}&nonce=${read('Nonce')}`;
    const before = platform.calls.length;
    const response = await post(`/wecom/callback?${query}`, envelope(read('Encrypt')));
    expect([response.statusCode, response.body]).toEqual([200, '']);
    expect(platform.calls.slice(before)).toEqual([]);
  });
});

test('an address that is not allowed is 403 before anything is read', async () => {
  const response = await post(signedPath('x'), 'x'.repeat(70_000), from('203.0.113.9'));
  expect([response.statusCode, response.body]).toEqual([403, 'source not allowed\n']);
});

test('X-Forwarded-For is believed from trusted proxies only', async () => {
  const encrypted = cipher.encrypt(textMessage('hi'));
  const ask = (remoteAddress: string, forwarded: string) =>
    post(signedPath(encrypted), envelope(encrypted), {
      remoteAddress,
      headers: { 'content-type': 'text/xml', 'x-forwarded-for': forwarded },
    }).then(({ statusCode }) => statusCode);
  expect(await ask('10.1.2.3', '127.0.0.1')).toBe(200);
  expect(await ask('10.1.2.3', '203.0.113.9')).toBe(403);
  expect(await ask('203.0.113.9', '127.0.0.1')).toBe(403);
  expect(await ask('10.1.2.3', '127.0.0.1, 203.0.113.9')).toBe(403);
});

test('what is malformed is 400, what is too large 413, and what is not there 404', async () => {
  const encrypted = cipher.encrypt(textMessage('1'));
  const foreign = createCipher({ ...APP, receiveId: 'ww9999999999999999' }).encrypt(textMessage('1'));
  const junk = cipher.encrypt('<xml>');
  const statuses = {
    'no query': (await post('/wecom/callback', envelope(encrypted))).statusCode,
    'a parameter twice': (await post(`${signedPath(encrypted)}&nonce=x`, envelope(encrypted))).statusCode,
    'no body': (await post(signedPath(encrypted), '')).statusCode,
    'no XML': (await post(signedPath(encrypted), '{"encrypt":"x"}')).statusCode,
    'another receiver': (await post(signedPath(foreign), envelope(foreign))).statusCode,
    'no message inside': (await post(signedPath(junk), envelope(junk))).statusCode,
    'over 64 KiB': (await post(signedPath(encrypted), 'x'.repeat(65_537))).statusCode,
    'no echostr': (await bot.app.inject({ method: 'GET', url: signedPath(encrypted) })).statusCode,
    'another path': (await bot.app.inject({ method: 'GET', url: '/admin' })).statusCode,
  };
  expect(statuses).toEqual({
    'no query': 400,
    'a parameter twice': 400,
    'no body': 400,
    'no XML': 400,
    'another receiver': 400,
    'no message inside': 400,
    'over 64 KiB': 413,
    'no echostr': 400,
    'another path': 404,
  });
});

test('whatever is sent, the answer is never a 5xx and never a stack trace', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.webQueryParameters(),
      fc.constantFrom('POST' as const, 'GET' as const, 'PUT' as const),
      async (payload, query, method) => {
        const response = await bot.app.inject({ method, url: `/wecom/callback?${query}`, payload });
        expect(response.statusCode).toBeGreaterThanOrEqual(400);
        expect(response.statusCode).toBeLessThan(500);
        expect(response.body).not.toMatch(/\.ts|at /);
      },
    ),
    { numRuns: 200 },
  );
});

/** Sends this XML, sealed and signed, and answers the text of the reply; null for none. */
async function replyTo(xml: string): Promise<string | null> {
  const sealed = cipher.encrypt(xml);
  const response = await post(signedPath(sealed), envelope(sealed));
  expect(response.statusCode, xml).toBe(200);
  if (response.body === '') return null;
  return text(readXml(cipher.decrypt(text(readXml(response.body), 'Encrypt'))), 'Content');
}

describe('whatever a member sends is answered', () => {
  const sent = (type: string, more = '') =>
    textMessage('x', more)
      .replace('[text]', `[${type}]`)
      .replace(/<Content>.*<\/Content>/, '');
  const without = (name: string) => textMessage('hi').replace(new RegExp(`<${name}>.*</${name}>`), '');
  const clickOf = (key: string) =>
    textMessage('x', `<Event>click</Event><EventKey>${key}</EventKey>`).replace('[text]', '[event]');
  const NEXT = '<Hologram><![CDATA[x]]></Hologram>';
  const kinds = [
    ['a picture', sent('image', '<PicUrl>http://x/?a=1&b=2</PicUrl>')],
    ['a voice message', sent('voice', '<MediaId>m</MediaId><Format>amr</Format>')],
    ['a place', sent('location', '<Location_X></Location_X><Label>A & B</Label>')],
    ['a link', sent('link', '<Title>a &nbsp; b</Title>')],
    ['a file', sent('file', '<FileName><![CDATA[a]]><b/></FileName>')],
    ['a sticker', sent('emotion')],
    ['text and pictures', sent('mixed', '<Mixed>text<Item><Type>1</Type></Item></Mixed>')],
    ['a forwarded chat', sent('chatrecord', `<a>${'<Item>'.repeat(60)}${'</Item>'.repeat(60)}</a>`)],
    ['a mini program', sent('miniprogram', '<_page>1</_page><名>1</名><x:y>1</x:y>')],
    ['a kind of next year', sent('hologram', NEXT)],
    ['no kind at all', sent('x').replace(/<MsgType>.*<\/MsgType>/, '')],
  ] as const;

  test.each(kinds)('%s, with a session and without', async (_, xml) => {
    await wecom.say('zhangsan', '#');
    const first = await replyTo(xml);
    expect(first).toContain('只能处理文字消息');
    expect(first).toContain('1 电商');
    await wecom.say('zhangsan', '1');
    const again = await replyTo(xml.replace(/<MsgId>/, '<MsgId>7'));
    expect(again).toContain('只能处理文字消息');
    expect(again).toContain('1 Kubernetes');
  });

  test.each([
    ['an empty text', textMessage('')],
    ['a text without its content', without('Content')],
    ['a text without its id', without('MsgId')],
    ['a text without its app', without('AgentID')],
    ['a kind that is written in capitals', textMessage('hi').replace('[text]', '[Text]')],
    ['a text whose app is no number', textMessage('hi').replace(/<AgentID>\d+/, '<AgentID>app')],
    ['a text whose id is an element', textMessage('hi').replace(/<MsgId>\d+/, '<MsgId><A>1</A>')],
    ['a field twice that nobody reads', textMessage('hi', `${NEXT}${NEXT}`)],
  ])('%s', async (_, xml) => {
    await wecom.say('zhangsan', '#');
    expect(await replyTo(xml)).toContain('1 电商');
  });

  test.each([-3600, -125, 125, 3600])('a text whose time is %s s from now does nothing', async (seconds) => {
    await wecom.say('zhangsan', '#');
    await wecom.say('zhangsan', 'hi');
    const time = Math.floor(Date.now() / 1000) + seconds;
    const xml = textMessage('1').replace(/<CreateTime>\d+/, `<CreateTime>${time}`);
    const why = seconds < 0 ? '消息已过期' : '消息的时间在未来';
    expect(await replyTo(xml)).toContain(`${why}，没有执行任何操作`);
    expect((await wecom.say('zhangsan', '?')).reply).toContain('1 电商');
  });

  test.each([-100, 100])('a text whose time is %s s from now is taken', async (seconds) => {
    await wecom.say('zhangsan', '#');
    const time = Math.floor(Date.now() / 1000) + seconds;
    const xml = textMessage('hi').replace(/<CreateTime>\d+/, `<CreateTime>${time}`);
    expect(await replyTo(xml)).toContain('1 电商');
  });

  test.each([
    ['a text without its time', without('CreateTime')],
    ['a text whose time is no number', textMessage('1').replace(/<CreateTime>\d+/, '<CreateTime>now')],
    ['a click without its time', clickOf('1').replace(/<CreateTime>.*<\/CreateTime>/, '')],
    ['a click whose time is no number', clickOf('1').replace(/<CreateTime>\d+/, '<CreateTime>1e9')],
  ])('%s does nothing and says so', async (_, xml) => {
    expect(await replyTo(xml)).toContain('消息已过期');
  });
});

test('events are answered by nothing', async () => {
  for (const event of ['enter_agent', 'fly']) {
    const delivered = await wecom.deliver('zhangsan', { type: 'event', event });
    expect([delivered.status, delivered.reply], event).toEqual([200, null]);
  }
  expect(
    await replyTo(textMessage('1').replace('[text]', '[suite_ticket]').replace('[zhangsan]', '[sys]')),
  ).toBe(null);
});

test('a click on the menu bar is its key typed', async () => {
  expect(
    (await wecom.deliver('zhangsan', { type: 'event', event: 'click', eventKey: '1-1' })).reply,
  ).toContain('2 扩缩容');
});

test('a message for another app of the corp is not answered', async () => {
  const other = cipher.encrypt(textMessage('hi').replace(`<AgentID>${APP.agentId}`, '<AgentID>1000099'));
  const response = await post(signedPath(other), envelope(other));
  expect([response.statusCode, response.body]).toEqual([200, '']);
});

test('userids differ by more than capitals', async () => {
  await wecom.say('zhangsan', '#');
  await wecom.say('zhangsan', 'hi');
  const shouted = cipher.encrypt(textMessage('1').replace('[zhangsan]', '[ZhangSan]'));
  await post(signedPath(shouted), envelope(shouted));
  expect((await wecom.say('zhangsan', '?')).reply).toContain('1 Kubernetes');
});

test('every line of the log about one message carries its id, and so does the platform’s', async () => {
  await wecom.say('zhangsan', '#');
  const before = lines.length;
  await wecom.say('zhangsan', 'hi');
  const id = platform.calls.findLast(({ operation }) => operation === 'units.list')?.trace;
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  await expect.poll(() => lines.slice(before).join('')).toContain(`"id":"${id}"`);
});
