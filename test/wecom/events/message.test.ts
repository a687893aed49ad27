import { describe, expect, expectTypeOf, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import type { Event } from '../../../src/wecom/events/event.ts';
import { callbackKey, readMessage } from '../../../src/wecom/events/message.ts';
import { normalizeUserId } from '../../../src/wecom/userid.ts';
import { vector } from '../crypto/vectors.ts';

const common = {
  toUserName: 'ww0123456789abcdef',
  fromUserName: 'zhangsan',
  createTime: 1767225600,
  agentId: 1000002,
};
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
      kind: 'text',
      toUserName: 'wx5823bf96d3bd56c7',
      fromUserName: 'mycreate',
      createTime: 1409659813,
      agentId: 218,
      msgId: '4561255354251345929',
      content: 'hello',
    });
  });

  test('without CDATA, in Chinese, is read alike', () => {
    expect(readMessage(vector('B2').text)).toMatchObject({
      kind: 'text',
      content: '你好',
      fromUserName: 'ChenJiaShun',
    });
  });

  test.each([
    ['text', { Content: ' 1 ' }, { content: ' 1 ' }],
    ['image', { PicUrl: 'https://p', MediaId: 'm' }, { picUrl: 'https://p', mediaId: 'm' }],
    ['voice', { MediaId: 'm', Format: 'amr' }, { mediaId: 'm', format: 'amr' }],
    ['video', { MediaId: 'm', ThumbMediaId: 't' }, { mediaId: 'm', thumbMediaId: 't' }],
    [
      'location',
      { Location_X: '23.134', Location_Y: '-113.358', Scale: '20', Label: '广州', AppType: 'wxwork' },
      { latitude: 23.134, longitude: -113.358, scale: 20, label: '广州', appType: 'wxwork' },
    ],
    [
      'link',
      { Title: 't', Description: 'd', Url: 'https://u', PicUrl: 'https://p' },
      { title: 't', description: 'd', url: 'https://u', picUrl: 'https://p' },
    ],
  ])('of type %s is typed', (kind, fields, expected) => {
    expect(readMessage(xml({ MsgType: kind, ...fields, ...id }))).toEqual({
      kind,
      ...common,
      msgId: id.MsgId,
      ...expected,
    });
  });

  test('has its control characters and lone surrogates taken out of the text', () => {
    const content = '1\u0000\u001b[2J\u0085\n\uFFFE2';
    expect(readMessage(xml({ MsgType: 'text', Content: content, ...id }))).toMatchObject({
      content: '1[2J\u0085\n2',
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
    ['no id', { MsgId: undefined }],
    ['an id that is no number', { MsgId: '12a' }],
    ['an endless id', { MsgId: '1'.repeat(21) }],
    ['no time', { CreateTime: undefined }],
    ['a time in words', { CreateTime: 'now' }],
    ['no agent', { AgentID: undefined }],
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

  test('of a type that does not exist yet is unknown, whatever else it holds', () => {
    expect(readMessage('<xml><MsgType>hologram</MsgType></xml>')).toEqual({
      kind: 'unknown',
      msgType: 'hologram',
      event: '',
    });
  });

  test('in JSON is unknown when it is whole and refused when it is not', () => {
    expect(readMessage(' {"Event":"modify_calendar"}')).toMatchObject({ kind: 'unknown' });
    expect(() => readMessage(vector('A3').text)).toThrow(InputError);
  });
});

test('userids are compared in lower case', () => {
  expect(normalizeUserId('ZhangSan')).toBe(normalizeUserId('zhangsan'));
});

const card = { EventKey: 'k', TaskId: 't', CardType: 'c', ResponseCode: 'r' };
const readCard = { eventKey: 'k', taskId: 't', cardType: 'c', responseCode: 'r' };
const key = [{ EventKey: 'k' }, { eventKey: 'k' }] as const;
const noFields = [{}, {}] as const;
const effect = [{ EffectTime: '5' }, { effectTime: 5 }] as const;
const scan = [
  { EventKey: 'k', ScanCodeInfo: '<ScanType>qrcode</ScanType><ScanResult>1</ScanResult>' },
  { eventKey: 'k', scanType: 'qrcode', scanResult: '1' },
] as const;
const pictures = [
  {
    EventKey: 'k',
    SendPicsInfo: '<Count>1</Count><PicList><item><PicMd5Sum>1b</PicMd5Sum></item></PicList>',
  },
  { eventKey: 'k', count: 1, pictureMd5Sums: ['1b'] },
] as const;

describe('an event', () => {
  test.each([
    ['subscribe', ...key],
    ['unsubscribe', {}, { eventKey: '' }],
    ['enter_agent', {}, { eventKey: '' }],
    [
      'LOCATION',
      { Latitude: '23.1', Longitude: '113.4', Precision: '119.385', AppType: 'wxwork' },
      { latitude: 23.1, longitude: 113.4, precision: 119.385, appType: 'wxwork' },
    ],
    ['click', ...key],
    ['CLICK', ...key],
    ['view', ...key],
    ['view_miniprogram', ...key],
    ['scancode_push', ...scan],
    ['scancode_waitmsg', ...scan],
    ['pic_sysphoto', ...pictures],
    ['pic_photo_or_album', ...pictures],
    ['pic_weixin', ...pictures],
    [
      'location_select',
      {
        EventKey: 'k',
        SendLocationInfo:
          '<Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>l</Label><Poiname/>',
        AppType: 'wxwork',
      },
      { eventKey: 'k', latitude: 23, longitude: 113, scale: 15, label: 'l', poiName: '', appType: 'wxwork' },
    ],
    ['template_card_event', card, { ...readCard, selectedItems: [] }],
    [
      'template_card_event',
      {
        ...card,
        SelectedItems:
          '<SelectedItem><QuestionKey>q</QuestionKey><OptionIds><OptionId>1</OptionId></OptionIds></SelectedItem>',
      },
      { ...readCard, selectedItems: [{ questionKey: 'q', optionIds: ['1'] }] },
    ],
    [
      'template_card_event',
      {
        ...card,
        SelectedItems:
          '<SelectedItem><QuestionKey>q</QuestionKey><OpitonIds><OpitonId>1</OpitonId><OpitonId>2</OpitonId></OpitonIds></SelectedItem>',
      },
      { ...readCard, selectedItems: [{ questionKey: 'q', optionIds: ['1', '2'] }] },
    ],
    ['template_card_menu_event', card, readCard],
    ['share_agent_change', ...noFields],
    ['share_chain_change', ...noFields],
    ['inactive_alert', ...effect],
    ['low_active_alert', ...effect],
    ['close_inactive_agent', ...noFields],
    ['reopen_inactive_agent', ...noFields],
    ['low_active', ...noFields],
    ['active_restored', ...noFields],
    ['switch_workbench_mode', { Mode: '1' }, { mode: 1 }],
    ['upload_media_job_finish', { JobId: 'j' }, { jobId: 'j' }],
    ['msgaudit_notify', ...noFields],
    [
      'batch_job_result',
      { BatchJob: '<JobId>j</JobId><JobType>sync_user</JobType><ErrCode>-1</ErrCode><ErrMsg>no</ErrMsg>' },
      { jobId: 'j', jobType: 'sync_user', errCode: -1, errMsg: 'no' },
    ],
    ['kf_account_auth_change', { AuthAddOpenKfId: 'wk1' }, { added: ['wk1'], removed: [] }],
    [
      'change_external_tag',
      { Id: 'i', TagType: 'tag', ChangeType: 'create' },
      { changeType: 'create', id: 'i', tagType: 'tag' },
    ],
  ])('%s is typed', (event, fields, expected) => {
    expect(readMessage(xml({ MsgType: 'event', Event: event, ...fields }))).toEqual({
      kind: 'event',
      event: event.toLowerCase(),
      ...common,
      ...expected,
    });
  });

  test.each([undefined, ''])('may come with AgentID %j and from nobody', (agent) => {
    const kf = { MsgType: 'event', Event: 'kf_msg_or_event', Token: 't', OpenKfId: 'wk' };
    expect(readMessage(xml({ ...kf, AgentID: agent, FromUserName: undefined }))).toMatchObject({
      agentId: null,
      fromUserName: '',
      token: 't',
      openKfId: 'wk',
    });
  });

  test('taskcard_click spells the agent in its own way', () => {
    const click = { MsgType: 'event', Event: 'taskcard_click', EventKey: 'k', TaskId: 't' };
    expect(readMessage(xml({ ...click, AgentID: undefined, AgentId: '7' }))).toMatchObject({
      agentId: 7,
      taskId: 't',
    });
  });

  test('from somebody who cannot be a member is refused', () => {
    expect(() => readMessage(xml({ MsgType: 'event', Event: 'click', FromUserName: 'a b' }))).toThrow(
      InputError,
    );
  });

  test.each(['constructor', '__proto__', 'toString', '', 'fly'])('named %j is unknown', (event) => {
    expect(readMessage(xml({ MsgType: 'event', Event: event }))).toEqual({
      kind: 'unknown',
      msgType: 'event',
      event,
    });
  });

  test('is narrowed by its name', () => {
    expectTypeOf<Event<'click'>['eventKey']>().toEqualTypeOf<string>();
    expectTypeOf<Event<'template_card_event'>['selectedItems'][0]['optionIds']>().toEqualTypeOf<string[]>();
  });
});

describe('change_contact', () => {
  const change = (fields: Readonly<Record<string, string>>) =>
    readMessage(xml({ MsgType: 'event', Event: 'change_contact', FromUserName: 'sys', ...fields }));

  test('of a member carries what changed, and null for what did not', () => {
    const sent = {
      ChangeType: 'update_user',
      UserID: 'zhangsan',
      NewUserID: 'zhangsan2',
      Department: '1,2,3',
      IsLeaderInDept: '1,0,0',
      Mobile: '',
      ExtAttr: '<Item><Name>爱好</Name><Type>0</Type><Text><Value>棋</Value></Text></Item>',
    };
    expect(change(sent)).toMatchObject({
      changeType: 'update_user',
      userId: 'zhangsan',
      newUserId: 'zhangsan2',
      departments: [1, 2, 3],
      isLeaderInDept: [true, false, false],
      directLeaders: null,
      mobile: '',
      name: null,
      extAttr: [{ name: '爱好', type: 0, text: '棋', webTitle: '', webUrl: '' }],
    });
  });

  test.each([
    [{ ChangeType: 'delete_user', UserID: 'u' }, { userId: 'u' }],
    [
      { ChangeType: 'create_party', Id: '2', Name: 'n', ParentId: '1', Order: '3' },
      { id: 2, name: 'n', parentId: 1, order: 3 },
    ],
    [
      { ChangeType: 'update_party', Id: '2' },
      { id: 2, name: null, parentId: null, order: null },
    ],
    [{ ChangeType: 'delete_party', Id: '2' }, { id: 2 }],
    [
      { ChangeType: 'update_tag', TagId: '1', AddUserItems: 'a,b', DelPartyItems: '1,2' },
      {
        tagId: 1,
        addedUsers: ['a', 'b'],
        removedUsers: [],
        addedDepartments: [],
        removedDepartments: [1, 2],
      },
    ],
  ])('$ChangeType is typed', (sent, expected) => {
    expect(change(sent)).toMatchObject({ changeType: sent.ChangeType, ...expected });
  });

  test('of a kind not listed is unknown', () => {
    expect(change({ ChangeType: 'paint_user' })).toMatchObject({ kind: 'unknown', event: 'change_contact' });
  });
});

describe('an approval', () => {
  test('started by an app has lists, even of one', () => {
    const info =
      '<ThirdNo>1</ThirdNo><OpenSpStatus>1</OpenSpStatus><ApprovalNodes><ApprovalNode><NodeStatus>1</NodeStatus><Items><Item><ItemUserId>lisi</ItemUserId></Item></Items></ApprovalNode></ApprovalNodes><NotifyNodes><NotifyNode><ItemUserId>wangwu</ItemUserId></NotifyNode></NotifyNodes><approverstep>0</approverstep>';
    expect(
      readMessage(xml({ MsgType: 'event', Event: 'open_approval_change', ApprovalInfo: info })),
    ).toMatchObject({
      thirdNo: '1',
      status: 1,
      approvalNodes: [{ status: 1, items: [{ userId: 'lisi' }] }],
      notifyNodes: [{ userId: 'wangwu' }],
      approverStep: 0,
    });
  });

  test('of the approval app has its lists as siblings', () => {
    const info =
      '<SpNo>1</SpNo><Applyer><UserId>lisi</UserId><Party>1</Party></Applyer><SpRecord><SpStatus>1</SpStatus><Details><Approver><UserId>wangwu</UserId></Approver></Details></SpRecord><Notifyer><UserId>a</UserId></Notifyer><Notifyer><UserId>b</UserId></Notifyer>';
    expect(
      readMessage(xml({ MsgType: 'event', Event: 'sys_approval_change', ApprovalInfo: info })),
    ).toMatchObject({
      no: '1',
      applicant: { userId: 'lisi', party: '1' },
      records: [{ status: 1, details: [{ approver: 'wangwu' }] }],
      notified: ['a', 'b'],
    });
  });
});

describe('customers', () => {
  test('a contact and a group chat are typed', () => {
    const contact = {
      Event: 'change_external_contact',
      ChangeType: 'add_external_contact',
      ExternalUserID: 'wm1',
      WelcomeCode: 'w',
    };
    expect(readMessage(xml({ MsgType: 'event', ...contact }))).toMatchObject({
      externalUserId: 'wm1',
      welcomeCode: 'w',
      source: null,
    });
    const chat = {
      Event: 'change_external_chat',
      ChangeType: 'update',
      ChatId: 'c',
      MemChangeList: '<Item>wm1</Item>',
    };
    expect(readMessage(xml({ MsgType: 'event', ...chat }))).toMatchObject({
      chatId: 'c',
      changedMembers: ['wm1'],
    });
  });
});

describe('the dedupe key', () => {
  test('of a message is its id, whatever the text around it', () => {
    const first = xml({ MsgType: 'text', Content: '1', ...id });
    const again = xml({ MsgType: 'text', ...id, Content: '1' });
    expect(again).not.toBe(first);
    expect(callbackKey(readMessage(first), first)).toBe(id.MsgId);
    expect(callbackKey(readMessage(again), again)).toBe(id.MsgId);
  });

  test('of an event is its text: two clicks in one second on different keys differ', () => {
    const [a = '', b = ''] = ['a', 'b'].map((EventKey) =>
      xml({ MsgType: 'event', Event: 'click', EventKey }),
    );
    expect(callbackKey(readMessage(a), a)).toMatch(/^[0-9a-f]{64}$/);
    expect(callbackKey(readMessage(a), a)).toBe(callbackKey(readMessage(a), a));
    expect(callbackKey(readMessage(a), a)).not.toBe(callbackKey(readMessage(b), b));
  });
});
