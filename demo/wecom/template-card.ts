import { block, type Fields, listOf, optional, required } from './fields.ts';
import type { Line, Link, Shown } from './view.ts';

/** What a phone shows of a card that was checked (protocol §4.3). */
export function showCard(card: Fields): Shown {
  const [main, subTitle] = [block(card.main_title), optional(card.sub_title_text)];
  const title = optional(main.title);
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
