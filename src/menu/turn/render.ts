import type { Context, Preview } from '../tree/context.ts';
import { visibleChildren } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { bytesOf, clip } from '../words/text.ts';
import { listPages, REPLY_BYTES, textPages } from './pages.ts';
import type { Position } from './position.ts';
import type { Screen } from './session.ts';

const CRUMB_BYTES = 330;
const TITLE_BYTES = 150;
const NOTICE_BYTES = 450;
const FOOTER_BYTES = 150;

/** How many pages the screen has. */
export function pagesOf(position: Position, screen: Screen, context: Context): number {
  return bodyPages(position, screen, context).length;
}

/**
 * Writes a screen as one reply of at most 2048 bytes: a line of why if there is one, the breadcrumb, the body, the keys.
 * A function of what is pinned in the session: nothing is asked of the platform.
 */
export function render(position: Position, screen: Screen, context: Context, notice?: string): string {
  const pages = bodyPages(position, screen, context);
  const page = 'page' in screen ? Math.min(screen.page, pages.length - 1) : 0;
  const parts = [titleOf(position, screen), pages[page] as string, '', footer(screen, page, pages.length)];
  if (notice !== undefined) parts.unshift(clip(notice, NOTICE_BYTES), '');
  return parts.join('\n');
}

function bodyPages(position: Position, screen: Screen, context: Context): readonly string[] {
  const room = REPLY_BYTES - NOTICE_BYTES - CRUMB_BYTES - FOOTER_BYTES;
  switch (screen.kind) {
    case 'menu': {
      const lines = visibleChildren(position.node, context, position.answers).map(
        (c) => `${c.number} ${c.entry.title}`,
      );
      return joined(lines.length === 0 ? [sentences.nothingHere] : lines, room);
    }
    case 'choice':
      return joined(
        screen.pins.map(({ label }, i) => `${i + 1} ${label}`),
        room,
      );
    case 'question':
      return [position.asks?.question.question ?? ''];
    case 'text':
      return textPages(screen.text, room);
    case 'preview':
      return [`${clip(screen.preview.lines.join('\n'), room - 100)}\n\n${confirmLine(screen.preview)}`];
  }
}

function joined(lines: readonly string[], bytes: number): readonly string[] {
  return listPages(lines, bytes).map((page) => page.join('\n'));
}

function titleOf(position: Position, screen: Screen): string {
  const crumbs = position.crumbs.length > 0 ? position.crumbs : [position.node.entry.title];
  const shown = [...crumbs];
  while (shown.length > 1 && bytesOf(shown.join(' › ')) > TITLE_BYTES) shown.shift();
  const title = clip(shown.join(' › '), TITLE_BYTES);
  if (screen.kind === 'choice') {
    const question = position.crumbs.length > 0 ? [position.asks?.question.question ?? ''] : [];
    const more = screen.more ? [sentences.onlyFirst(screen.pins.length)] : [];
    return [title, ...question, ...more].join('\n');
  }
  return screen.kind === 'preview' ? `${title} · ${sentences.pleaseConfirm}` : title;
}

function confirmLine(preview: Preview): string {
  return preview.code === undefined ? sentences.confirm : sentences.typeCode(preview.code);
}

function footer(screen: Screen, page: number, pages: number): string {
  const back = screen.kind === 'question' ? sentences.backFromQuestion : sentences.back;
  const keys = [back, sentences.exit, sentences.help].join('  ');
  if (pages === 1) return keys;
  const turn = [
    sentences.page(page + 1, pages),
    ...(page + 1 < pages ? [sentences.next] : []),
    ...(page > 0 ? [sentences.previous] : []),
  ];
  return `${turn.join('  ')}\n${keys}`;
}
