import { quoteChoices } from '../../plain-text.ts';
import type { Context } from '../tree/context.ts';
import { visibleChildren } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { bytesOf, clip, clipMiddle } from '../words/text.ts';
import { cutLongLines, fillPages, type Room } from './pages.ts';
import type { Position } from './position.ts';
import type { Screen } from './session.ts';

const LIST_ROWS = 10;
/** What a breadcrumb may take, as a share of the reply and in bytes. */
const TITLE_SHARE = 5;
const TITLE_BYTES = 150;

/** How many pages the screen has. */
export function pagesOf(position: Position, screen: Screen, context: Context): number {
  return layOut(position, screen, context).length;
}

/**
 * Writes a screen as one reply of at most `context.replyBytes` bytes: a notice if there is one, the breadcrumb, the body,
 * the keys. A function of what is pinned in the session: nothing is asked of the platform. Pages do not move when a notice
 * comes on top: then the last lines of the page are left out, and a line says how many.
 */
export function render(position: Position, screen: Screen, context: Context, notice?: string): string {
  const pages = layOut(position, screen, context);
  const page = 'page' in screen ? Math.min(screen.page, pages.length - 1) : 0;
  const lines = pages[page] as readonly string[];
  const title = titleOf(position, screen, context);
  const keys = footer(screen, page, pages.length);
  const room = context.replyBytes - bytesOf(compose([title, '', keys]));
  const unquoted = notice ?? (page === 0 && 'notice' in screen ? screen.notice : undefined);
  if (unquoted === undefined) return compose([title, cutLines(lines, room), keys]);
  const said = quoteChoices(unquoted);
  const free = room - GAP - bytesOf(lines.join('\n'));
  const shown = clip(said, Math.max(free, noticeBytes(title, screen, context)));
  return compose([title, cutLines(lines, room - GAP - bytesOf(shown)), keys], shown);
}

/** No channel is so narrow that a line gets less; it keeps the cutting of lines from going on for ever. */
const LEAST_BYTES = 16;

/** The empty line between the parts of a reply, with both line ends. */
const GAP = 2;

type Parts = readonly [title: string, body: string, keys: string];

function compose([title, body, keys]: Parts, notice?: string): string {
  return [...(notice === undefined ? [] : [notice, '']), title, body, '', keys].join('\n');
}

/** What a notice gets even where the body would need all of the reply: half of what the title and the keys leave. */
function noticeBytes(title: string, screen: Screen, { replyBytes }: Context): number {
  const keys = footer(screen, 0, 9);
  return Math.floor((replyBytes - bytesOf(compose([title, '', keys]))) / 2) - GAP;
}

/** The lines of each page. The room of a page is what the title, its notice and its keys leave of the reply. */
function layOut(position: Position, screen: Screen, context: Context): readonly (readonly string[])[] {
  if (screen.kind === 'question') return [[position.asks?.question.question ?? '']];
  if (screen.kind === 'preview')
    return [screen.preview.lines.flatMap((line) => quoteChoices(line).split('\n'))];
  const title = titleOf(position, screen, context);
  const noticed = bytesOf(quoteChoices(screen.notice ?? ''));
  const first = noticed === 0 ? 0 : Math.min(noticed, noticeBytes(title, screen, context)) + GAP;
  // The line of keys grows with the digits of the page count: no page may have more than the room was made for.
  for (let total = 9; ; total = total * 10 + 9) {
    const room: Room = (page, isLast) => {
      const keys = footer(screen, page, isLast ? page + 1 : Math.max(total, page + 2));
      return context.replyBytes - bytesOf(compose([title, '', keys])) - (page === 0 ? first : 0);
    };
    const least = Math.max(LEAST_BYTES, Math.min(room(0, false), room(total - 2, false)));
    const pages =
      screen.kind === 'text'
        ? fillPages(cutLongLines(screen.text, least), room)
        : fillPages(
            listLines(position, screen, context).map((line) => clipMiddle(line, least)),
            room,
            LIST_ROWS,
          );
    if (pages.length <= total) return pages;
  }
}

function listLines(
  position: Position,
  screen: Extract<Screen, { kind: 'menu' | 'choice' }>,
  context: Context,
): readonly string[] {
  if (screen.kind === 'choice') return screen.pins.map(({ label }, i) => `${i + 1} ${label}`);
  const children = visibleChildren(position.node, context, position.answers);
  if (children.length === 0) return [sentences.nothingHere];
  return children.map(({ number, entry }) => `${number} ${entry.title}`);
}

/** As many whole lines as fit, and how many do not. */
function cutLines(lines: readonly string[], bytes: number): string {
  const whole = lines.join('\n');
  if (bytesOf(whole) <= bytes) return whole;
  for (let kept = lines.length - 1; kept > 0; kept -= 1) {
    const text = [...lines.slice(0, kept), sentences.linesLeftOut(lines.length - kept)].join('\n');
    if (bytesOf(text) <= bytes) return text;
  }
  return clip(whole, bytes);
}

function titleOf(position: Position, screen: Screen, { replyBytes }: Context): string {
  const bytes = Math.min(TITLE_BYTES, Math.floor(replyBytes / TITLE_SHARE));
  const shown = position.crumbs.length > 0 ? [...position.crumbs] : [position.node.entry.title];
  while (shown.length > 1 && bytesOf(shown.join(' › ')) > bytes) shown.shift();
  const title = clipMiddle(quoteChoices(shown.join(' › ')), bytes);
  if (screen.kind === 'choice') {
    const question = position.crumbs.length > 0 ? [position.asks?.question.question ?? ''] : [];
    const more = screen.more ? [sentences.onlyFirst(screen.pins.length)] : [];
    return [title, ...question, ...more].join('\n');
  }
  return screen.kind === 'preview' ? `${title} · ${sentences.pleaseConfirm}` : title;
}

function footer(screen: Screen, page: number, total: number): string {
  const back = screen.kind === 'question' ? sentences.backFromQuestion : sentences.back;
  const keys = [back, sentences.exit, sentences.help].join('  ');
  if (screen.kind === 'preview') {
    const { code } = screen.preview;
    return `${code === undefined ? sentences.confirm : sentences.typeCode(code)}\n\n${keys}`;
  }
  if (total === 1) return keys;
  const turn = [
    sentences.page(page + 1, total),
    ...(page + 1 === total ? [] : [sentences.next]),
    ...(page === 0 ? [] : [sentences.previous]),
  ];
  return `${turn.join('  ')}\n${keys}`;
}
