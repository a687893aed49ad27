import { escapeUnseen } from '../../plain-text.ts';

/** So many columns of a terminal a line takes at most; a Chinese character takes two. */
const LINE = 100;
/** A longer name of a unit goes on in the next line of its column's head. */
const HEAD = 16;
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** A text of a file in one line, with whatever a terminal would obey or not show as `\uXXXX`. */
export function visible(text: string): string {
  return escapeUnseen(text).replaceAll('\n', '↵');
}

/** The columns that a text takes in a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Words in lines: the first begins at the indent, those below it four further in. No word is cut. */
export function fill(words: readonly string[], indent: number): readonly string[] {
  const lines: string[] = [];
  let line = ' '.repeat(indent) + (words[0] ?? '');
  for (const word of words.slice(1)) {
    if (widthOf(line) + 1 + widthOf(word) <= LINE) line += ` ${word}`;
    else {
      lines.push(line);
      line = ' '.repeat(indent + 4) + word;
    }
  }
  return [...lines, line];
}

/** The items as words for {@link fill}, with commas between them and `end` behind the last. */
export function listed(items: readonly string[], end = ''): readonly string[] {
  return items.map((item, index) => item + (index < items.length - 1 ? ',' : end));
}

/** A column of a table: its head, and its cell in each row. */
export interface Column {
  readonly head: string;
  readonly cells: readonly string[];
}

/** A table whose rows have names. Columns that find no place beside the others follow below, with the names again. */
export function table(
  names: readonly string[],
  columns: readonly Column[],
  indent: number,
): readonly string[] {
  const first = indent + Math.max(...names.map(widthOf));
  const lines: string[] = [];
  for (const block of blocksOf(columns, LINE - first)) {
    const heads = block.map(({ head }) => pieces(head));
    const height = Math.max(...heads.map(({ length }) => length));
    const line = (name: string, cells: readonly string[]) =>
      [padded(name, first), ...block.map((column, at) => padded(cells[at] ?? '', columnWidth(column)))]
        .join('  ')
        .trimEnd();
    for (let row = 0; row < height; row++)
      lines.push(
        line(
          '',
          heads.map((head) => head[row] ?? ''),
        ),
      );
    for (const [row, name] of names.entries()) {
      lines.push(
        line(
          ' '.repeat(indent) + name,
          block.map(({ cells }) => cells[row] ?? ''),
        ),
      );
    }
  }
  return lines;
}

function columnWidth({ head, cells }: Column): number {
  return Math.max(...[...pieces(head), ...cells].map(widthOf));
}

/** Columns in groups that fit into so much width; each has one at least. */
function blocksOf(columns: readonly Column[], width: number): readonly (readonly Column[])[] {
  const blocks: Column[][] = [];
  let left = 0;
  for (const column of columns) {
    const needed = columnWidth(column) + 2;
    if (blocks.length === 0 || needed > left) {
      blocks.push([]);
      left = width;
    }
    blocks.at(-1)?.push(column);
    left -= needed;
  }
  return blocks;
}

/** A text cut into pieces that are narrow enough for the head of a column. */
function pieces(text: string): readonly string[] {
  const found = [''];
  for (const character of text) {
    if (widthOf((found.at(-1) ?? '') + character) > HEAD) found.push('');
    found[found.length - 1] += character;
  }
  return found;
}
