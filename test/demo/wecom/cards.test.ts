import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PNG, startWithClient } from './client.ts';

let client: Awaited<ReturnType<typeof startWithClient>>;
beforeAll(async () => {
  client = await startWithClient({ memberLimits: [], robots: { alerts: 'key-1' } });
});
afterAll(() => client.wecom.stop());

const url = 'https://a';
const action = { type: 1, url };
const main_title = { title: '发布' };
const notice = { card_type: 'text_notice', main_title, card_action: action };
const news = { ...notice, card_type: 'news_notice', card_image: { url } };
const agree = { text: '同意', key: 'yes' };
const buttons = { card_type: 'button_interaction', main_title, button_list: [agree] };
const option = { id: '1', text: '好' };
const choice = { question_key: 'q', option_list: [option] };
const submit_button = { key: 's' };
const vote = { card_type: 'vote_interaction', main_title, checkbox: choice, submit_button };
const selects = { card_type: 'multiple_interaction', main_title, select_list: [choice], submit_button };
const menu = (...keys: readonly string[]) => ({ action_list: keys.map((key) => ({ text: '静音', key })) });
const rows = (row: object) => ({ ...notice, horizontal_content_list: [row] });
const many = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => item(at));

let lastTask = 0;
const newTask = () => {
  lastTask += 1;
  return `task-${lastTask}@a_b`;
};
const send = (card: object) => client.show('template_card', card);
const errcodeOf = async (card: object): Promise<number> => (await send(card)).errcode;

describe('a template card', () => {
  test.each([
    ['of no type', { ...notice, card_type: 'x' }, 42031],
    ['of a type that is no text', { ...notice, card_type: ['text_notice'] }, 42031],
    ['without a title', { ...notice, main_title: undefined }, 40058],
    ['with news and without a title', { ...news, main_title: { desc: 'x' }, sub_title_text: 'x' }, 40058],
    ['without card_action', { ...notice, card_action: undefined }, 42045],
    ['with a card_action that leads nowhere', { ...notice, card_action: { type: 0 } }, 42045],
    [
      'with an empty card_action',
      { ...news, card_action: { type: 0, url: '', appid: '', pagepath: '' } },
      42045,
    ],
    ['with a card_action without url', { ...notice, card_action: { type: 1 } }, 42028],
    ['with a card_action without appid', { ...notice, card_action: { type: 2, pagepath: 'p' } }, 42030],
    ['with news and without a picture', { ...news, card_image: undefined }, 42044],
    ['with a menu and no task_id', { ...notice, action_menu: menu('a') }, 42014],
    ['with a menu that repeats a key', { ...notice, task_id: 't', action_menu: menu('a', 'a') }, 42051],
    ['with a menu of four', { ...notice, task_id: 't', action_menu: menu('a', 'b', 'c', 'd') }, 40058],
    ['with a quote that leads nowhere', { ...notice, quote_area: { type: 1, title: 'x' } }, 42028],
    ['with too many rows', { ...notice, horizontal_content_list: many(7, () => ({ keyname: 'a' })) }, 42035],
    ['with rows that are none', { ...notice, horizontal_content_list: 'x' }, 40058],
    ['with a row without a name', rows({ value: 'a' }), 42027],
    ['with a row that links nowhere', rows({ keyname: 'a', type: 1 }), 42028],
    ['with a row without its file', rows({ keyname: 'a', type: 2 }), 42029],
    ['with a row of a bogus file', rows({ keyname: 'a', type: 2, media_id: 'made-up' }), 40007],
    ['with a row without its member', rows({ keyname: 'a', type: 3 }), 42050],
    ['with a row of what is no member', rows({ keyname: 'a', type: 3, userid: '张三' }), 42050],
    ['with too many texts', { ...news, vertical_content_list: many(5, () => ({ title: 'a' })) }, 42036],
    ['with a text without a title', { ...news, vertical_content_list: [{ desc: 'a' }] }, 42033],
    ['with too many jumps', { ...notice, jump_list: many(4, () => ({ title: 'a' })) }, 42042],
    ['with a jump without a title', { ...notice, jump_list: [{ type: 1, url }] }, 42033],
    ['with a jump without a url', { ...notice, jump_list: [{ type: 1, title: 'a' }] }, 42028],
    ['without a button', { ...buttons, task_id: 't', button_list: null }, 40058],
    [
      'with seven buttons',
      { ...buttons, task_id: 't', button_list: many(7, (at) => ({ text: 'a', key: `${at}` })) },
      40058,
    ],
    ['with a button without a key', { ...buttons, task_id: 't', button_list: [{ text: '同意' }] }, 42039],
    [
      'with a button whose key is empty',
      { ...buttons, task_id: 't', button_list: [{ text: '同意', key: '' }] },
      42039,
    ],
    ['with two buttons of one key', { ...buttons, task_id: 't', button_list: [agree, agree] }, 42039],
    [
      'with a key that is too long',
      { ...buttons, task_id: 't', button_list: [{ text: 'a', key: '好'.repeat(342) }] },
      42039,
    ],
    ['with a button without a text', { ...buttons, task_id: 't', button_list: [{ key: 'a' }] }, 42038],
    [
      'with a button that links nowhere',
      { ...buttons, task_id: 't', button_list: [{ type: 1, text: 'a' }] },
      42028,
    ],
    ['with buttons and no task_id', buttons, 42014],
    ['with a task_id of other letters', { ...buttons, task_id: 'a b' }, 42014],
    ['with a task_id that is too long', { ...buttons, task_id: 'a'.repeat(129) }, 42014],
    [
      'with a choice without a key',
      { ...buttons, task_id: 't', button_selection: { option_list: [option] } },
      42043,
    ],
    ['with a vote without a key', { ...vote, task_id: 't', checkbox: { option_list: [option] } }, 42043],
    ['with a vote without options', { ...vote, task_id: 't', checkbox: { question_key: 'q' } }, 42037],
    [
      'with a vote of 21 options',
      {
        ...vote,
        task_id: 't',
        checkbox: { ...choice, option_list: many(21, (at) => ({ id: `${at}`, text: 'a' })) },
      },
      42037,
    ],
    [
      'with an option without an id',
      { ...vote, task_id: 't', checkbox: { ...choice, option_list: [{ text: 'a' }] } },
      42040,
    ],
    [
      'with two options of one id',
      { ...vote, task_id: 't', checkbox: { ...choice, option_list: [option, option] } },
      42040,
    ],
    [
      'with an option without a text',
      { ...vote, task_id: 't', checkbox: { ...choice, option_list: [{ id: '1' }] } },
      42041,
    ],
    ['with a vote that cannot be handed in', { ...vote, task_id: 't', submit_button: undefined }, 42046],
    ['with selections without a list', { ...selects, task_id: 't', select_list: [] }, 42047],
    ['with four selections', { ...selects, task_id: 't', select_list: many(4, () => choice) }, 42047],
    [
      'with a selection of eleven',
      {
        ...selects,
        task_id: 't',
        select_list: [{ ...choice, option_list: many(11, (at) => ({ id: `${at}`, text: 'a' })) }],
      },
      42037,
    ],
  ] as const)('%s is refused', async (_, card, errcode) => {
    const before = client.wecom.arrivals.totals().shown;
    expect(await errcodeOf(card)).toBe(errcode);
    expect(client.wecom.arrivals.totals().shown).toBe(before);
  });

  test.each<[string, object]>([
    ['is a notice with a title', notice],
    ['is a notice with a text instead', { ...notice, main_title: {}, sub_title_text: 'x' }],
    ['leads to a mini program', { ...notice, card_action: { type: 2, appid: 'wx1' } }],
    ['is one with a picture and a text beside another', { ...news, image_text_area: { image_url: url } }],
    ['has a button that only links', { ...buttons, button_list: [agree, { type: 1, text: '看', url }] }],
    ['has no text for handing in, which is 提交 then', vote],
    ['has selections', selects],
    ['names a member', rows({ keyname: '申请人', type: 3, userid: 'ZhangSan' })],
  ])('is sent that %s', async (_, card) => {
    expect(await errcodeOf({ task_id: newTask(), ...card })).toBe(0);
  });

  test('of a client that writes null and empty fields for what it leaves out is sent', async () => {
    const empty = {
      source: null,
      action_menu: { desc: '', action_list: null },
      quote_area: { type: 0, url: '', appid: '', pagepath: '', title: '', quote_text: '' },
      horizontal_content_list: null,
      vertical_content_list: [],
      jump_list: null,
    };
    const noSelection = { question_key: '', title: '', option_list: null, selected_id: '' };
    expect(await errcodeOf({ ...notice, ...empty })).toBe(0);
    const all = { ...buttons, ...empty, task_id: newTask(), button_selection: noSelection };
    expect(await errcodeOf({ ...all, card_action: { type: 0, url: '' } })).toBe(0);
  });

  test('may carry a file that the app has uploaded', async () => {
    const { media_id } = await client.upload('file', 'a.log', PNG);
    expect(await errcodeOf(rows({ keyname: '日志', value: 'a.log', type: 2, media_id }))).toBe(0);
  });
});

describe('the answer to a template card', () => {
  test.each<[string, object, boolean]>([
    ['that people answer', buttons, true],
    ['that people vote on', vote, true],
    ['with a menu', { ...notice, action_menu: menu('a', 'b') }, true],
    ['that only tells', notice, false],
  ])('%s has a response_code: %#', async (_, card, isThere) => {
    const answers = [
      await send({ ...card, task_id: newTask() }),
      await send({ ...card, task_id: newTask() }),
    ];
    const codes = answers.map(({ response_code: code }) => code);
    if (isThere) expect(new Set(codes.filter((code) => typeof code === 'string')).size).toBe(2);
    else expect(codes).toEqual([undefined, undefined]);
  });
});

describe('a task_id', () => {
  test('is for one card, whatever its kind and receivers', async () => {
    const task_id = newTask();
    expect(await errcodeOf({ ...buttons, task_id })).toBe(0);
    expect(await errcodeOf({ ...buttons, task_id })).toBe(42014);
    expect(await errcodeOf({ ...vote, task_id })).toBe(42014);
    const toOther = { touser: 'lisi', msgtype: 'template_card', template_card: { ...buttons, task_id } };
    expect((await client.send(toOther)).errcode).toBe(42014);
    const old = { title: '发布', task_id, btn: [{ key: 'a', name: '同意' }] };
    expect((await client.show('taskcard', old)).errcode).toBe(42014);
  });

  test('of a card that was refused is still free', async () => {
    const task_id = newTask();
    expect(await errcodeOf({ ...buttons, task_id, button_list: [] })).toBe(40058);
    const nobody = { touser: 'nobody', msgtype: 'template_card', template_card: { ...buttons, task_id } };
    expect((await client.send(nobody)).errcode).toBe(81013);
    expect(await errcodeOf({ ...buttons, task_id })).toBe(0);
  });

  test('of a repeat that WeCom drops is no second card', async () => {
    const template_card = { ...buttons, task_id: newTask() };
    const message = { touser: 'lisi', msgtype: 'template_card', template_card, enable_duplicate_check: 1 };
    expect((await client.send(message)).errcode).toBe(0);
    expect((await client.send(message)).errcode).toBe(0);
    expect(client.wecom.arrived('lisi').map(({ dropped }) => dropped)).toEqual([undefined, 'repeat']);
  });
});

test('a robot sends cards that only tell', async () => {
  const by = (template_card: object) => client.robot('key-1', { msgtype: 'template_card', template_card });
  expect((await by(news)).errcode).toBe(0);
  expect((await by({ ...buttons, task_id: newTask() })).errcode).toBe(42031);
  expect((await by({ ...notice, card_action: null })).errcode).toBe(42045);
});
