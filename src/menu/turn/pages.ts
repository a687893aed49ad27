import { bytesOf, cutToBytes } from '../words/text.ts';

/** WeCom cuts a text reply beyond this many bytes of UTF-8 (protocol §3.2). */
export const REPLY_BYTES = 2048;

const ROWS = 10;

/** Groups the lines of a list into pages of at most ten lines and `bytes` bytes. There is always one page. */
export function listPages(lines: readonly string[], bytes: number): readonly (readonly string[])[] {
  return fill(lines, bytes, ROWS);
}

/** Cuts a text into pages of at most `bytes` bytes, at line ends where that is possible and never inside a character. */
export function textPages(text: string, bytes: number): readonly string[] {
  const lines = text.split('\n').flatMap((line) => cutLine(line, bytes));
  return fill(lines, bytes, Number.POSITIVE_INFINITY).map((page) => page.join('\n'));
}

function fill(lines: readonly string[], bytes: number, rows: number): readonly (readonly string[])[] {
  const pages: string[][] = [[]];
  let used = 0;
  for (const line of lines) {
    const size = bytesOf(line) + 1;
    let page = pages.at(-1) as string[];
    if (page.length > 0 && (used + size > bytes || page.length >= rows)) {
      page = [];
      pages.push(page);
      used = 0;
    }
    page.push(line);
    used += size;
  }
  return pages;
}

function cutLine(line: string, bytes: number): readonly string[] {
  const parts: string[] = [];
  let rest = line;
  // Minus one for the line end that `fill` counts.
  while (bytesOf(rest) > bytes - 1) {
    const part = cutToBytes(rest, bytes - 1);
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return [...parts, rest];
}
