import { afterEach, describe, expect, test } from 'vitest';
import { startWeCom } from '../../../demo/wecom/start.ts';
import type { WeComOptions } from '../../../demo/wecom/wecom.ts';
import { type Answer, app, fieldOf, type Received, reply, startBot } from './small-bot.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0)) await stop();
});

async function start(
  answer: (received: Received, count: number) => Answer | Promise<Answer>,
  options: Partial<WeComOptions> = {},
) {
  const bot = await startBot(answer);
  const pace = { attemptMs: 2000, retryGapMs: 1 };
  const wecom = await startWeCom({ ...app, callbackUrls: [bot.url], pace, port: 0, ...options });
  running.push(bot, wecom);
  return { bot, wecom };
}

describe('a message to the bot', () => {
  test('arrives encrypted and signed, and its passive reply is shown', async () => {
    const { bot, wecom } = await start(() => reply('1 查看部署'), { clock: () => 1_767_225_600_123 });
    const outcome = await wecom.say('zhangsan', '你好 & <b>]]>😀');
    expect(outcome).toMatchObject({ reply: '1 查看部署', attempts: 1, status: 200 });
    expect(outcome.problem).toBeUndefined();
    const { plaintext, body } = bot.received[0] as Received;
    expect(plaintext).toContain('<ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName>');
    expect(plaintext).toContain('<FromUserName><![CDATA[zhangsan]]></FromUserName>');
    expect(plaintext).toContain('<CreateTime>1767225600</CreateTime>');
    expect(plaintext).toContain('<Content><![CDATA[你好 & <b>]]]]><![CDATA[>😀]]></Content>');
    expect(plaintext).toContain(`<MsgId>${outcome.msgid}</MsgId>`);
    expect(plaintext).toContain('<AgentID>1000002</AgentID>');
    expect(body).toContain('<AgentID><![CDATA[1000002]]></AgentID>');
    expect(wecom.messages('zhangsan')).toMatchObject([
      { direction: 'out', kind: 'sent', text: '你好 & <b>]]>😀', msgid: outcome.msgid },
      {
        direction: 'in',
        kind: 'passive',
        text: '1 查看部署',
        msgid: outcome.msgid,
        time: 1_767_225_600_123,
      },
    ]);
  });

  test('has a fresh 64-bit id each time, most of them over 2^53', async () => {
    const { wecom } = await start(() => '');
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => wecom.say('lisi', '1')));
    const ids = outcomes.map(({ msgid }) => BigInt(msgid));
    expect(new Set(ids).size).toBe(8);
    expect(ids.some((id) => id > 2n ** 53n)).toBe(true);
    expect(ids.every((id) => id < 2n ** 63n)).toBe(true);
  });

  test('that gets an empty 200 has no reply and no problem', async () => {
    const { wecom } = await start(() => '');
    const { reply: answer, problem, attempts } = await wecom.say('lisi', '1');
    expect({ answer, problem, attempts }).toEqual({ answer: null, problem: undefined, attempts: 1 });
  });

  test('of somebody unknown is refused here', async () => {
    const { wecom } = await start(() => '');
    await expect(wecom.say('nobody', '1')).rejects.toThrow('no member is named nobody');
  });

  test('goes to the replicas of the bot in turn', async () => {
    const [one, two] = [await startBot(() => ''), await startBot(() => '')];
    running.push(one, two);
    const { wecom } = await start(() => '', { callbackUrls: [one.url, two.url] });
    for (let count = 0; count < 4; count += 1) await wecom.say('lisi', '1');
    expect([one.received.length, two.received.length]).toEqual([2, 2]);
  });
});

describe('a retry', () => {
  test('follows a cut at the time limit, three times, with the same plaintext sealed anew', async () => {
    const { bot, wecom } = await start(() => 'hang', { pace: { attemptMs: 40, retryGapMs: 1 } });
    const outcome = await wecom.say('zhangsan', '1');
    expect(outcome).toMatchObject({
      reply: null,
      attempts: 4,
      status: 0,
      problem: 'the bot did not answer in 40 ms',
    });
    expect(bot.received).toHaveLength(4);
    expect(new Set(bot.received.map(({ plaintext }) => plaintext)).size).toBe(1);
    expect(new Set(bot.received.map(({ cipher }) => cipher)).size).toBe(4);
  });

  test.each([201, 204, 302, 403, 500])('follows HTTP %d, until a 200', async (status) => {
    const { wecom } = await start((_, count) => (count < 3 ? { status } : reply('好')));
    expect(await wecom.say('zhangsan', '1')).toMatchObject({ reply: '好', attempts: 3, status: 200 });
  });

  test('follows a refused connection', async () => {
    const { bot, wecom } = await start(() => '');
    await bot.stop();
    expect(await wecom.say('zhangsan', '1')).toMatchObject({
      attempts: 4,
      status: 0,
      problem: 'the bot cannot be reached: ECONNREFUSED',
    });
  });
});

describe('on demand', () => {
  test('the same message is delivered several times at once, and its reply shown once', async () => {
    const { bot, wecom } = await start((_, count) => (count === 1 ? '' : reply('好')));
    const outcome = await wecom.say('zhangsan', '1', { times: 4, gapMs: 5, msgId: '42', createTime: 7 });
    expect(outcome.replies.filter((text) => text === '好')).toHaveLength(3);
    expect(outcome).toMatchObject({ msgid: '42', reply: '好', attempts: 4 });
    expect(bot.received.map(({ plaintext }) => fieldOf(plaintext, 'MsgId'))).toEqual([
      '42',
      '42',
      '42',
      '42',
    ]);
    expect(fieldOf((bot.received[0] as Received).plaintext, 'CreateTime')).toBe('7');
    expect(wecom.messages('zhangsan')).toHaveLength(2);
  });

  test('events and other types are sent too; an event has no MsgId', async () => {
    const { bot, wecom } = await start(() => reply('好'));
    await wecom.deliver('zhangsan', { type: 'event', event: 'enter_agent' });
    await wecom.deliver('zhangsan', { type: 'event', event: 'click', eventKey: 'menu-1' });
    await wecom.deliver('zhangsan', { type: 'image', picUrl: 'http://x/y.png', mediaId: 'm1' });
    const place = { latitude: 22.5, longitude: 113.9, scale: 15, label: '深圳' };
    await wecom.deliver('zhangsan', { type: 'location', ...place });
    const [enter, click, image, location] = bot.received.map(({ plaintext }) => plaintext) as [
      string,
      string,
      string,
      string,
    ];
    expect(fieldOf(enter, 'MsgType')).toBe('event');
    expect(fieldOf(enter, 'Event')).toBe('enter_agent');
    expect(enter).not.toContain('MsgId');
    expect(fieldOf(click, 'EventKey')).toBe('menu-1');
    expect(fieldOf(image, 'PicUrl')).toBe('http://x/y.png');
    expect(fieldOf(location, 'Location_X')).toBe('22.5');
    expect(fieldOf(location, 'MsgId')).toMatch(/^\d+$/);
  });

  test('a callback URL is verified by its echo', async () => {
    const { wecom } = await start(() => '');
    expect(await wecom.verifyUrl()).toBeUndefined();
    wecom.setCallbackUrls([`${wecom.url}/api/users`]);
    expect(await wecom.verifyUrl()).toBe('the answer is not the decrypted echostr');
    wecom.setCallbackUrls([`${wecom.url}/nowhere`]);
    expect(await wecom.verifyUrl()).toBe('the bot answered HTTP 404');
    wecom.setCallbackUrls([]);
    expect(await wecom.verifyUrl()).toBe('no callback URL is set');
  });
});

describe('a passive reply is ignored, and not asked for again,', () => {
  test.each([
    ['with another signature', { MsgSignature: '0'.repeat(40) }, 'MsgSignature does not match the reply'],
    ['sealed for another corp', { receiveId: 'wwother' }, 'the reply is not sealed for this corp id'],
    ['to another member', { ToUserName: 'lisi' }, 'ToUserName is not the member zhangsan'],
    ['from something else than the corp', { FromUserName: 'zhangsan' }, 'FromUserName is not the corp id'],
    ['with Timestamp for TimeStamp', { timeStampName: 'Timestamp' }, 'the reply has no TimeStamp'],
    ['without a time', { CreateTime: 'now' }, 'CreateTime is not a number of seconds'],
  ])('%s', async (_, spoil, why) => {
    const { wecom } = await start(() => reply('好', spoil));
    expect(await wecom.say('zhangsan', '1')).toMatchObject({
      reply: null,
      attempts: 1,
      status: 200,
      problem: `the reply is ignored: ${why}`,
    });
    expect(wecom.messages('zhangsan')).toHaveLength(1);
  });

  test.each([
    ['success', 'the envelope is not well-formed XML'],
    ['<html></html>', 'the envelope has no <xml> element'],
    ['<xml><Encrypt>AA</Encrypt></xml>', 'the reply has no TimeStamp'],
  ])('when it is %s', async (body, why) => {
    const { wecom } = await start(() => body);
    expect((await wecom.say('zhangsan', '1')).problem).toBe(`the reply is ignored: ${why}`);
  });
});

test('a reply over 2048 bytes is cut on a character and marked', async () => {
  const { wecom } = await start(() => reply('汉'.repeat(700)));
  expect(await wecom.say('zhangsan', '1')).toMatchObject({ reply: '汉'.repeat(682), cut: true });
  expect(wecom.messages('zhangsan').at(-1)).toMatchObject({ cut: true });
});

test('a reply of another type than text is named', async () => {
  const { wecom } = await start(() => reply('', { MsgType: 'news' }));
  expect((await wecom.say('zhangsan', '1')).reply).toBe('[news]');
});
