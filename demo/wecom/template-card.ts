import { ApiError } from './api-error.ts';
import { type Fields, listOf, optional, readFields, required } from './fields.ts';
import type { Line, Link, Shown } from './view.ts';

const TASK_ID = /^[\w@-]{1,128}$/;
const interactive = new Set(['button_interaction', 'vote_interaction', 'multiple_interaction']);
const cards = new Set(['text_notice', 'news_notice', ...interactive]);

/** Reads a template_card; throws 40058 when a block that its type requires is missing or too long a list (protocol §4.3). */
export function readTemplateCard(card: Fields): Shown {
  const type = card.card_type;
  if (typeof type !== 'string' || !cards.has(type)) throw new ApiError(40058, 'card_type');
  const [main, subTitle] = [block(card.main_title), optional(card.sub_title_text)];
  const title = optional(main.title);
  if (title === '' && (type !== 'text_notice' || subTitle === '')) throw new ApiError(40058, 'main_title');
  checkParts(card, type);

  const rows = listOf(card.horizontal_content_list, 6).map(
    ({ keyname, value }) => [required(keyname), optional(value)] as const,
  );
  const vertical = listOf(card.vertical_content_list, 4).map(({ title: name, desc }) =>
    [required(name), optional(desc)].filter(Boolean).join('：'),
  );
  const [emphasis, quote] = [block(card.emphasis_content), block(card.quote_area)];
  const votes = listOf(block(card.checkbox).option_list, 20).map(({ text }) => `○ ${required(text)}`);
  const selects = listOf(card.select_list, 3).map(readSelect);
  const lines = [
    line(main.desc, 'gray'),
    line(emphasis.title, 'emphasis'),
    line(emphasis.desc, 'gray'),
    ...[quote.title, quote.quote_text, subTitle, ...vertical, ...votes, ...selects].map((text) => line(text)),
  ].filter(({ text }) => text !== '');
  const buttons = [
    ...listOf(card.button_list, 6),
    ...(card.submit_button ? [block(card.submit_button)] : []),
  ];
  const source = optional(block(card.source).desc);
  return {
    text: [title, ...lines.map(({ text }) => text), ...rows.map((row) => row.join('：'))]
      .filter(Boolean)
      .join('\n'),
    view: {
      kind: 'card',
      ...(source ? { source } : {}),
      title,
      lines,
      rows,
      links: readLinks(card),
      buttons: buttons.map(({ text }) => optional(text) || '提交'),
    },
  };
}

function checkParts(card: Fields, type: string): void {
  const isNotice = !interactive.has(type);
  const has = (name: string): boolean => card[name] !== undefined;
  if (isNotice && !has('card_action')) throw new ApiError(40058, 'card_action');
  if (!isNotice || has('action_menu')) {
    if (!TASK_ID.test(optional(card.task_id))) throw new ApiError(40058, 'task_id');
  }
  if (type === 'news_notice' && has('card_image') === has('image_text_area')) {
    throw new ApiError(40058, 'card_image or image_text_area');
  }
  const needed = {
    button_interaction: 'button_list',
    vote_interaction: 'checkbox',
    multiple_interaction: 'select_list',
  };
  const name = needed[type as keyof typeof needed] as string | undefined;
  if (name !== undefined && !has(name)) throw new ApiError(40058, name);
  if (has('select_list')) listOf(card.select_list, 3);
}

function line(text: unknown, tone?: Line['tone']): Line {
  return { text: optional(text), ...(tone && { tone }) };
}

function readSelect({ title, option_list }: Fields): string {
  const options = listOf(option_list, 10).map(({ text }) => required(text));
  return `${optional(title) || '选择'}：${options.join(' / ')}`;
}

function readLinks(card: Fields): readonly Link[] {
  const action = block(card.card_action);
  const jumps = listOf(card.jump_list, 3).map(({ title, url }) => ({
    title: required(title),
    url: optional(url),
  }));
  const links = [...jumps, { title: '详情', url: optional(action.url) }];
  return links.filter(({ url }) => url !== '');
}

function block(value: unknown): Fields {
  return value === undefined ? {} : readFields(value);
}
