// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import { describe, expect, test } from 'vitest';
import { type Content, contentKinds, kindOf } from '../../../src/push/content/content.ts';
import {
  checkContent,
  contentSchema,
  templateContentSchema,
} from '../../../src/push/content/content-schema.ts';
import { readValue } from '../../../src/push/content/read-value.ts';

const url = 'https://a.example/';
const textcard = { title: 't', description: 'd', url };
const notice = { card_type: 'text_notice', main_title: { title: 't' }, card_action: { type: 1, url } };
const buttons = {
  card_type: 'button_interaction',
  task_id: 't-1',
  main_title: { title: 't' },
  button_list: [{ text: 'yes', key: 'y' }],
};
const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

const GOOD: readonly unknown[] = [
  { text: '好'.repeat(6826) },
  { text: 'x', mentioned: ['zhangsan', '@all'] },
  { markdown: 'x', plainTextFor: 'all' },
  { markdown: 'x', plainTextFor: ['zhangsan'] },
  { textcard: { ...textcard, title: '好'.repeat(128), btntxt: '看看详情' } },
  { news: { articles: times(8, { title: 't', url }) } },
  { templateCard: notice },
  { templateCard: buttons },
];

const BAD: readonly (readonly [string, unknown])[] = [
  ['exactly one of', {}],
  ['exactly one of', { text: 'a', markdown: 'b' }],
  ['text: must not be empty', { text: ' \n' }],
  ['text: must be at most 20480 bytes', { text: '好'.repeat(6827) }],
  ['text: must not hold half characters', { text: 'a\ud800' }],
  ['mentioned only beside text', { markdown: 'a', mentioned: ['zhangsan'] }],
  ['plainTextFor only beside markdown', { text: 'a', plainTextFor: 'all' }],
  ['mentioned.0: must be a userid', { text: 'a', mentioned: ['zhang san'] }],
  ['markdown: must be at most 4096 bytes', { markdown: 'x'.repeat(4097) }],
  ['textcard.title: must be at most 128 characters', { textcard: { ...textcard, title: 'x'.repeat(129) } }],
  [
    'textcard.description: must be at most 512 characters',
    { textcard: { ...textcard, description: 'x'.repeat(513) } },
  ],
  ['textcard.btntxt: must be at most 4 characters', { textcard: { ...textcard, btntxt: 'xxxxx' } }],
  ['textcard.url: must be an address', { textcard: { ...textcard, url: 'javascript:alert(1)' } }],
  [
    'textcard.url: must be at most 2048 bytes',
    { textcard: { ...textcard, url: `${url}${'x'.repeat(2048)}` } },
  ],
  ['extra', { textcard: { ...textcard, extra: 1 } }],
  ['news.articles: must have at most', { news: { articles: times(9, { title: 't', url }) } }],
  ['news.articles: must have at least', { news: { articles: [] } }],
  [
    'news.articles.0.title: must be at most 128 bytes',
    { news: { articles: [{ title: '好'.repeat(43), url }] } },
  ],
  ['card_type', { templateCard: { ...notice, card_type: 'other' } }],
  ['card_action', { templateCard: { ...notice, card_action: undefined } }],
  ['main_title.title or sub_title_text', { templateCard: { ...notice, main_title: { desc: 'd' } } }],
  [
    'task_id for its action_menu',
    { templateCard: { ...notice, action_menu: { action_list: [{ text: 't', key: 'k' }] } } },
  ],
  ['task_id: must be made of', { templateCard: { ...buttons, task_id: 'a b' } }],
  [
    'button_list: must have at most',
    { templateCard: { ...buttons, button_list: times(7, { text: 't', key: 'k' }) } },
  ],
  ['card_image or image_text_area', { templateCard: { ...notice, card_type: 'news_notice' } }],
];

describe('the content of a message', () => {
  test.each(GOOD)('is taken: %j', (content) => {
    expect(readValue(contentSchema, content, 'the content')).toEqual(content);
  });

  test.each(BAD)('is refused with "%s"', (problem, content) => {
    expect(() => readValue(contentSchema, content, 'the content')).toThrow(problem);
  });

  test('of a template may leave open what a variable decides, and nothing else', () => {
    const open = { textcard: { title: `\${T}${'x'.repeat(128)}`, description: '${D}', url: '${LINK}' } };
    expect(readValue(templateContentSchema, open, 'the content')).toEqual(open);
    expect(() => readValue(contentSchema, open, 'the content')).toThrow('textcard.title');
    const long = { textcard: { ...open.textcard, title: `\${T}${'x'.repeat(129)}` } };
    expect(() => readValue(templateContentSchema, long, 'the content')).toThrow(
      'textcard.title: must be at most 128',
    );
    const kind = { templateCard: { ...notice, card_type: '${KIND}' } };
    expect(() => readValue(templateContentSchema, kind, 'the content')).toThrow('card_type');
  });
});

describe('a filled content', () => {
  test('keeps the limits that it had unfilled', () => {
    expect(() => checkContent({ textcard: { ...textcard, url: 'ftp://x' } }, ['user'])).toThrow(
      'textcard.url',
    );
    expect(() => checkContent({ text: '' }, ['user'])).toThrow('must not be empty');
  });

  const long: Content = { markdown: 'x'.repeat(2049) };
  test.each<[string, Content, Parameters<typeof checkContent>[1]]>([
    ['at most 2048 bytes', long, ['user']],
    ['at most 2048 bytes', long, ['robot', 'chat']],
    ['robots cannot send it', { textcard }, ['user', 'robot']],
    ['chats cannot show it', { templateCard: notice }, ['chat']],
    ['only the card types text_notice and news_notice', { templateCard: buttons }, ['robot']],
    ['works in chats and through robots only', { text: 'x', mentioned: ['zhangsan'] }, ['user']],
  ])('is refused with "%s" where WeCom would not show it', (problem, content, kinds) => {
    expect(() => checkContent(content, kinds)).toThrow(problem);
  });

  test('is taken where WeCom shows it', () => {
    checkContent(long, ['robot']);
    checkContent({ templateCard: notice }, ['user', 'robot']);
    checkContent({ templateCard: buttons }, ['user', 'party', 'tag']);
    checkContent({ text: 'x', mentioned: ['zhangsan'] }, ['robot']);
    checkContent({ image: { sha256: 'x', name: 'y' } }, ['user', 'chat', 'robot']);
  });

  const media = { sha256: 'x', name: 'y' };
  const articles = [{ title: 't', url }];
  const ofEachKind: readonly Content[] = [
    { text: 'x' },
    { markdown: 'x' },
    { textcard },
    { image: media },
    { file: media },
    { news: { articles } },
    { templateCard: notice },
  ];

  test('may be of the kinds that WeCom documents for each receiver, and no other', () => {
    expect(ofEachKind.map(kindOf)).toEqual(contentKinds);
    const refused = (['user', 'party', 'tag', 'chat', 'robot'] as const).map((to) =>
      ofEachKind.filter((content) => isRefused(content, to)).map(kindOf),
    );
    expect(refused).toEqual([[], [], [], ['templateCard'], ['textcard']]);
  });

  test('through a robot may be a card that is a notice only, in a group none', () => {
    const menu = { ...notice, task_id: 't-1', action_menu: { action_list: [{ text: 't', key: 'k' }] } };
    const cards = [notice, buttons, menu].map((templateCard) => ({ templateCard }));
    expect(cards.map((card) => isRefused(card, 'robot'))).toEqual([false, true, true]);
    expect(cards.map((card) => isRefused(card, 'chat'))).toEqual([true, true, true]);
    expect(cards.map((card) => isRefused(card, 'user'))).toEqual([false, false, false]);
  });
});

function isRefused(content: Content, to: Parameters<typeof checkContent>[1][number]): boolean {
  try {
    checkContent(content, [to]);
    return false;
  } catch {
    return true;
  }
}
