import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { readMessage } from '../../../src/wecom/events/message.ts';
import { normalizeUserId } from '../../../src/wecom/userid.ts';
import { vector } from '../crypto/vectors.ts';

const common = {
  fromUserName: 'zhangsan',
  toUserName: 'ww0123456789abcdef',
  createTime: 1767225600,
  agentId: 1000002,
};
const message = { ...common, kind: 'message' };
const base = {
  ToUserName: common.toUserName,
  FromUserName: common.fromUserName,
  CreateTime: '1767225600',
  AgentID: '1000002',
};
const id = { MsgId: '18446744073709551615' };

/** The XML of a callback; a value that starts with < is put in as it is, an undefined one is left out. */
function xml(fields: Readonly<Record<string, string | undefined>>): string {
  const elements = Object.entries({ ...base, ...fields }).map(([name, value]) => {
    if (value === undefined) return '';
    return `<${name}>${value.startsWith('<') ? value : `<![CDATA[${value}]]>`}</${name}>`;
  });
  return `<xml>${elements.join('\n')}</xml>`;
}

describe('a message', () => {
  test('keeps an id beyond 2^53 digit by digit', () => {
    expect(readMessage(vector('A2').text)).toEqual({
      fromUserName: 'mycreate',
      toUserName: 'wx5823bf96d3bd56c7',
      createTime: 1409659813,
      agentId: 218,
      kind: 'message',
      id: '4561255354251345929',
      text: 'hello',
    });
  });

  test('without CDATA, in Chinese, is read alike', () => {
    expect(readMessage(vector('B2').text)).toMatchObject({
      text: '你好',
      fromUserName: 'ChenJiaShun',
    });
  });

  test('of text keeps the spaces around it', () => {
    expect(readMessage(xml({ MsgType: 'text', Content: ' 1 ', ...id }))).toEqual({
      ...message,
      id: id.MsgId,
      text: ' 1 ',
    });
  });

  test.each(['image', 'voice', 'video', 'location', 'link', 'file', 'hologram', 'constructor', ''])(
    'of type %s says from whom it is, and no text',
    (type) => {
      const fields = { MediaId: 'm', Location_X: 'nowhere', Item: '<A>1</A>' };
      expect(readMessage(xml({ MsgType: type, ...fields, ...id }))).toEqual({ ...message, id: id.MsgId });
    },
  );

  test('has its control characters and lone surrogates taken out of the text', () => {
    const content = '1\u0000\u001b[2J\u0085\n\uFFFE2';
    expect(readMessage(xml({ MsgType: 'text', Content: content, ...id }))).toMatchObject({
      text: '1[2J\u0085\n2',
    });
  });

  test.each([
    ['no sender', { FromUserName: undefined }],
    ['an empty sender', { FromUserName: '' }],
    ['a sender of 65 letters', { FromUserName: 'a'.repeat(65) }],
    ['a sender with a colon', { FromUserName: 'zhang:san' }],
    ['a sender with a line end', { FromUserName: 'zhangsan\n' }],
    ['a sender in Chinese', { FromUserName: '张三' }],
    ['a sender that begins with a dot', { FromUserName: '.zhangsan' }],
  ])('with %s is refused', (_, fields) => {
    expect(() => readMessage(xml({ MsgType: 'text', Content: '1', ...id, ...fields }))).toThrow(InputError);
  });

  test.each(['a', '0', 'Zhang.San_1-2@x', 'a'.repeat(64)])(
    'from userid %s is accepted as it is spelt',
    (user) => {
      expect(readMessage(xml({ MsgType: 'text', Content: '1', ...id, FromUserName: user }))).toMatchObject({
        fromUserName: user,
      });
    },
  );

  test.each([
    ['no id', { MsgId: undefined }],
    ['an id that is no number', { MsgId: '12a' }],
    ['an endless id', { MsgId: '1'.repeat(21) }],
  ])('with %s is known by what it says', (_, fields) => {
    const read = (content: string) => readMessage(xml({ MsgType: 'text', Content: content, ...fields }))?.id;
    expect(read('1')).toMatch(/^[0-9a-f]{64}$/);
    expect(read('1')).toBe(read('1'));
    expect(read('1')).not.toBe(read('2'));
  });

  test.each([
    ['in words', 'now'],
    ['of a fraction', '1767225600.5'],
    ['of too many digits', '1'.repeat(21)],
    ['that is an element', '<CreateTime><A>1</A></CreateTime>'],
    ['that is there twice', '<CreateTime>1</CreateTime><CreateTime>1767225600</CreateTime>'],
  ])('with a time, an app, or an id %s fails neither as a message nor as a click', (_, odd) => {
    const named = (name: string) => odd.replaceAll('CreateTime', name);
    const fields = { CreateTime: odd, AgentID: named('AgentID'), MsgId: named('MsgId') };
    const raw = (type: Record<string, string>) =>
      xml({ ...type, CreateTime: undefined, AgentID: undefined }).replace(
        '</xml>',
        `${Object.entries(fields)
          .map(([name, value]) => (value.startsWith('<') ? value : `<${name}>${value}</${name}>`))
          .join('')}</xml>`,
      );
    const unknown = { ...common, createTime: 0, agentId: null };
    const hashed = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(readMessage(raw({ MsgType: 'text', Content: '1' }))).toEqual({
      ...unknown,
      kind: 'message',
      id: hashed,
      text: '1',
    });
    const click = { ...unknown, kind: 'click', id: hashed, text: '1-2' };
    expect(readMessage(raw({ MsgType: 'event', Event: 'click', EventKey: '1-2' }))).toEqual(click);
  });

  test('without a receiver, a time, an app or a text is to nobody, as old as can be, of no app, and empty', () => {
    const fields = { ToUserName: undefined, CreateTime: undefined, AgentID: undefined, Content: undefined };
    const read = readMessage(xml({ MsgType: 'text', ...fields, ...id }));
    expect(read).toEqual({
      ...message,
      toUserName: null,
      createTime: 0,
      agentId: null,
      id: id.MsgId,
      text: '',
    });
  });

  test('of a kind that is none, from nobody, is none', () => {
    expect(readMessage('<xml><MsgType>hologram</MsgType></xml>')).toBeNull();
    expect(readMessage(xml({ MsgType: 'hologram', FromUserName: 'sys', ...id }))).toBeNull();
  });

  test('in JSON is none when it is whole and refused when it is not', () => {
    expect(readMessage(' {"Event":"modify_calendar"}')).toBeNull();
    expect(() => readMessage(vector('A3').text)).toThrow(InputError);
  });
});

test('userids are compared in lower case', () => {
  expect(normalizeUserId('ZhangSan')).toBe(normalizeUserId('zhangsan'));
});

describe('an event', () => {
  test.each(['click', 'CLICK'])('%s carries the key of the menu entry', (event) => {
    const click = xml({ MsgType: 'event', Event: event, EventKey: '1-2' });
    expect(readMessage(click)).toEqual({ ...common, kind: 'click', id: expect.any(String), text: '1-2' });
  });

  test.each([undefined, ''])('may come with AgentID %j, and then belongs to no app', (agent) => {
    expect(readMessage(xml({ MsgType: 'event', Event: 'click', AgentID: agent }))).toMatchObject({
      agentId: null,
    });
  });

  test('from somebody who cannot be a member is refused', () => {
    expect(() => readMessage(xml({ MsgType: 'event', Event: 'click', FromUserName: 'a b' }))).toThrow(
      InputError,
    );
  });

  test.each(['enter_agent', 'change_contact', 'constructor', '__proto__', '', 'fly'])(
    'named %j is nothing that Keypad acts on',
    (event) => {
      expect(readMessage(xml({ MsgType: 'event', Event: event, FromUserName: 'sys' }))).toBeNull();
    },
  );
});

describe('what tells a repeated delivery from a new one', () => {
  test('of a message is its id, whatever the text around it', () => {
    const first = xml({ MsgType: 'text', Content: '1', ...id });
    const again = xml({ MsgType: 'text', ...id, Content: '1' });
    expect(again).not.toBe(first);
    expect(readMessage(first)?.id).toBe(id.MsgId);
    expect(readMessage(again)?.id).toBe(id.MsgId);
  });

  test('of an event is its text: two clicks in one second on different keys differ', () => {
    const [a = '', b = ''] = ['a', 'b'].map((EventKey) =>
      xml({ MsgType: 'event', Event: 'click', EventKey }),
    );
    expect(readMessage(a)?.id).toMatch(/^[0-9a-f]{64}$/);
    expect(readMessage(a)?.id).toBe(readMessage(a)?.id);
    expect(readMessage(a)?.id).not.toBe(readMessage(b)?.id);
  });
});
