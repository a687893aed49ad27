// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import { describe, expect, test } from 'vitest';
import { checkCard } from '../../../demo/wecom/card-check.ts';
import { checkTaskId } from '../../../src/push/content/card-schema.ts';
import { contentSchema, templateContentSchema } from '../../../src/push/content/content-schema.ts';
import { readValue } from '../../../src/push/content/read-value.ts';

const url = 'https://a.example/';
const main_title = { title: 't', desc: 'd' };
const option_list = [
  { id: '1', text: 'one' },
  { id: '2', text: 'two' },
];
const rows = [
  { keyname: 'plain', value: 'v' },
  { keyname: 'link', type: 1, url },
  { keyname: 'file', type: 2, media_id: 'm' },
  { keyname: 'member', type: 3, userid: 'zhangsan' },
];
const action_menu = {
  action_list: [
    { text: 'a', key: 'a' },
    { text: 'b', key: 'b' },
  ],
};
const answered = { task_id: 't-1', main_title, submit_button: { text: 's', key: 's' } };
const noticed = {
  task_id: 't-1',
  action_menu,
  main_title,
  quote_area: { type: 1, url, quote_text: 'q' },
  horizontal_content_list: rows,
  jump_list: [
    { title: 'plain' },
    { title: 'link', type: 1, url },
    { title: 'program', type: 2, appid: 'wx1', pagepath: 'p' },
  ],
  card_action: { type: 2, appid: 'wx1' },
};
const notice = {
  ...{ card_type: 'text_notice', ...noticed },
  ...{ sub_title_text: 's', emphasis_content: { title: 'e' } },
};
const news = {
  ...{ card_type: 'news_notice', ...noticed, card_action: { type: 1, url } },
  image_text_area: { type: 1, url, title: 't', desc: 'd', image_url: url },
  vertical_content_list: [main_title],
};
const button_list = [
  { text: 'yes', key: 'y' },
  { text: 'no', key: 'n', style: 2 },
  { type: 1, text: 'more', url },
];
const buttons = {
  card_type: 'button_interaction',
  ...{ task_id: 't-1', action_menu, main_title, horizontal_content_list: rows, button_list },
  card_action: { type: 1, url },
  button_selection: { question_key: 'q', option_list },
};
const vote = { card_type: 'vote_interaction', ...answered, checkbox: { question_key: 'q', option_list } };
const selects = {
  card_type: 'multiple_interaction',
  ...answered,
  select_list: [
    { question_key: 'p', option_list },
    { question_key: 'q', option_list },
  ],
};
const cards = [notice, news, buttons, vote, selects];

type Json = Readonly<Record<string, unknown>>;

/** A card with one thing changed: each field is left out, each type is each other, each item of a list stands there twice. */
function* changesOf(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    yield [];
    for (const [index, item] of value.entries()) {
      yield [...value, item];
      for (const changed of changesOf(item)) yield value.with(index, changed);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      const { [name]: _left, ...others } = value as Json;
      yield others;
      for (const changed of changesOf(each)) yield { ...others, [name]: changed };
    }
    for (const type of [0, 1, 2, 3, 4]) yield { ...value, type };
  } else if (typeof value === 'string') {
    yield '';
    yield 'a b';
    yield '好'.repeat(400);
  }
}

const readCard = (templateCard: unknown, schema = contentSchema) =>
  readValue(schema, { templateCard }, 'the content');
const passes = (check: () => unknown): boolean => {
  try {
    check();
    return true;
  } catch {
    return false;
  }
};

describe('a card', () => {
  test.each(cards)(
    'of $card_type is taken as WeCom takes it, and with whatever changed WeCom refuses it',
    (card) => {
      const byWeCom = (each: unknown) => passes(() => checkCard(each as Json, () => true));
      expect(passes(() => readCard(card))).toBe(true);
      expect(byWeCom(card)).toBe(true);
      const changed = [...changesOf(card)];
      expect(changed.filter((each) => !byWeCom(each)).length).toBeGreaterThan(10);
      expect(changed.filter((each) => passes(() => readCard(each)) && !byWeCom(each))).toEqual([]);
    },
  );

  const twice = { text: 'x', key: 'y' };
  test.each<[string, unknown]>([
    ['button_list.1.key: is that of another item', { ...buttons, button_list: [button_list[0], twice] }],
    ['button_list.0.key: is missing; type 0', { ...buttons, button_list: [{ text: 'x' }] }],
    ['button_list.0.url: is missing; type 1', { ...buttons, button_list: [{ text: 'x', type: 1 }] }],
    ['action_menu.action_list.1.key: is that', { ...notice, action_menu: { action_list: [twice, twice] } }],
    [
      'checkbox.option_list.2.id: is that',
      { ...vote, checkbox: { ...vote.checkbox, option_list: [...option_list, option_list[0]] } },
    ],
    [
      'select_list.0.option_list.1.id: is that',
      { ...selects, select_list: [{ question_key: 'q', option_list: Array(2).fill(option_list[0]) }] },
    ],
    ['card_action: is missing', { ...notice, card_action: undefined }],
    ['card_action.type: must be one of 1, 2', { ...notice, card_action: { type: 0 } }],
    ['card_action.url: is missing; type 1 needs it', { ...notice, card_action: { type: 1 } }],
    ['card_action.appid: is missing; type 2 needs it', { ...buttons, card_action: { type: 2, url } }],
    ['jump_list.0.url: is missing', { ...notice, jump_list: [{ title: 't', type: 1 }] }],
    ['jump_list.0.appid: is missing', { ...notice, jump_list: [{ title: 't', type: 2, url }] }],
    ['quote_area.appid: is missing', { ...notice, quote_area: { type: 2 } }],
    ['image_text_area.url: is missing', { ...news, image_text_area: { type: 1, image_url: url } }],
    [
      'horizontal_content_list.0.url: is missing',
      { ...notice, horizontal_content_list: [{ keyname: 'a', type: 1 }] },
    ],
    [
      'horizontal_content_list.0.userid: must be',
      { ...notice, horizontal_content_list: [{ ...rows[3], userid: '张' }] },
    ],
  ])('is refused with "templateCard.%s"', (problem, card) => {
    expect(() => readCard(card)).toThrow(`templateCard.${problem}`);
  });

  test('of a template may leave open what makes keys differ, and not what makes them the same', () => {
    const keyed = (...keys: string[]) => ({
      ...buttons,
      button_list: keys.map((key) => ({ text: 'x', key })),
    });
    expect(passes(() => readCard(keyed('${A}', '${B}'), templateContentSchema))).toBe(true);
    expect(() => readCard(keyed('${A}', '${A}'), templateContentSchema)).toThrow(
      'button_list.1.key: is that',
    );
  });
});

test('a task_id for several receivers holds what each has of its own', () => {
  const content = (task_id?: string) => ({ templateCard: { ...notice, task_id } });
  for (const free of [{ text: 'x' }, content(), content('t-${USERID}'), content('${NO}-${USERID:text}')]) {
    checkTaskId(free, ['USERID']);
  }
  for (const [id, own] of [
    ['t-1', ['USERID']],
    ['t-${USERID}', []],
    ['t-${NO}', ['USERID']],
  ] as const) {
    expect(() => checkTaskId(content(id), own)).toThrow('templateCard.task_id: WeCom takes each once');
  }
});
