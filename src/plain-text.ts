/** So many characters of one value reach anybody. */
const MOST = 500;
const LINE_ENDS = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
const BLANKS = /[\t\p{Zs}\u2800]/gu;
/** What shows nothing, turns the direction or is no character; not the signs that only choose the look of an emoji. */
const INVISIBLE =
  /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
/** WeCom shows `<a href>` as a link (protocol §4.2). */
const TAGS = /<(?=[a-z/@!?])/gi;

/**
 * A text that is not ours, of a cluster, a database or a person, as one plain line of any length: line ends and whatever
 * cannot be seen are made visible, rows of blanks become two, and nothing is markup. What is plain already stays as it is.
 */
export function onOneLine(text: string): string {
  return text
    .replace(LINE_ENDS, '↵')
    .replace(BLANKS, ' ')
    .replace(INVISIBLE, (c) => `[U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/ {3,}/g, '  ')
    .replace(TAGS, '＜');
}

/** The same, at most 500 characters of it. */
export function plainLine(text: string): string {
  const plain = onOneLine(text.slice(0, 4 * MOST));
  const characters = [...plain];
  return characters.length <= MOST ? plain : `${characters.slice(0, MOST - 1).join('')}…`;
}

/** What stands before a line that only looks like something to type. */
export const QUOTE = '│ ';

/** How a line to type from begins: a number or a key of ours, also in brackets, circled or in Chinese. */
const CHOICE =
  /^[\s\p{Ps}\p{Pi}"']*(?:[\p{Nd}\p{No}]{1,4}(?![\p{Nd}\p{No}A-Za-z_%]|[.:,]\p{Nd}|[-/][\p{Nd}A-Za-z])|[零〇一二两三四五六七八九十]{1,3}(?=[\s\p{P}]|$)|[*#?](?!\w)|[np](?![\w./@=-]))/iu;

/** Whether somebody on a phone could take a line for one that says what to type, such as `1 确认` or `０ 返回`. */
export function looksLikeChoice(line: string): boolean {
  // NFKC makes ① and １ a 1, and ⑴ a (1). What cannot be seen must not hide them.
  return CHOICE.test(line.normalize('NFKC').replace(INVISIBLE, ''));
}

/** The lines of a text, wherever anything that shows it may begin a new one. */
export function linesOf(text: string): readonly string[] {
  return text.split(LINE_ENDS);
}

/**
 * The text of a screen that offers nothing to type, or of a notice: each line that looks like a choice has a bar before it.
 * To be used on whole lines, after they were cut.
 */
export function quoteChoices(text: string): string {
  return linesOf(text)
    .map((line) => (looksLikeChoice(line) ? `${QUOTE}${line}` : line))
    .join('\n');
}

const UNSEEN_IN_JSON = new RegExp(`(?!\\n)(?:${INVISIBLE.source}|[\\u2028\\u2029])`, 'gu');

/** A line of JSON with what a terminal would obey or not show as `\uXXXX`: the same value, and all of it can be seen. */
export function escapeUnseen(json: string): string {
  return json.replace(UNSEEN_IN_JSON, (c) =>
    c
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
