import { linesOf, looksLikeChoice, QUOTE } from '../../plain-text.ts';
import { bytesOf, cutToBytes } from '../words/text.ts';

/** How many bytes the lines of a page may take, the line ends between them counted. The last page may take the most. */
export type Room = (page: number, isLast: boolean) => number;

/**
 * Groups lines into pages, each as full as it can be: at most `rows` lines, and no more bytes than its room. A line must
 * fit in the smallest room. There is always one page.
 */
export function fillPages(
  lines: readonly string[],
  room: Room,
  rows = Number.POSITIVE_INFINITY,
): readonly (readonly string[])[] {
  const pages: (readonly string[])[] = [];
  let rest = lines;
  while (rest.length > 1 && countThatFits(rest, rows, room(pages.length, true)) < rest.length) {
    const count = Math.max(1, countThatFits(rest, rows, room(pages.length, false)));
    pages.push(rest.slice(0, count));
    rest = rest.slice(count);
  }
  return [...pages, rest];
}

/**
 * Cuts the lines of a text that are longer than `bytes` into several, never inside a character. None of them looks like a
 * choice, also where only the cut makes it begin so.
 */
export function cutLongLines(text: string, bytes: number): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const parts: string[] = [];
    let rest = line;
    do {
      const mark = looksLikeChoice(rest) ? QUOTE : '';
      const part = cutToBytes(rest, bytes - bytesOf(mark));
      parts.push(`${mark}${part}`);
      rest = rest.slice(part.length);
    } while (rest !== '');
    return parts;
  });
}

function countThatFits(lines: readonly string[], rows: number, bytes: number): number {
  let used = -1;
  for (const [index, line] of lines.entries()) {
    used += bytesOf(line) + 1;
    if (index >= rows || used > bytes) return index;
  }
  return lines.length;
}
