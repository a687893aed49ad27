import { InputError, Refused } from '../../errors.ts';
import { TargetFailed } from '../target-failed.ts';

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
 * A text of a cluster or a database as one plain line of at most 500 characters: line ends and whatever cannot be seen
 * are made visible, rows of blanks become two, and nothing is markup. A text that is plain already stays as it is.
 */
export function plainLine(text: string): string {
  const plain = text
    .slice(0, 4 * MOST)
    .replace(LINE_ENDS, '↵')
    .replace(BLANKS, ' ')
    .replace(INVISIBLE, (c) => `[U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/ {3,}/g, '  ')
    .replace(TAGS, '＜');
  const characters = [...plain];
  return characters.length <= MOST ? plain : `${characters.slice(0, MOST - 1).join('')}…`;
}

/** The same value with every text in it, at any depth, made plain; what a list names as unread too. */
function plainDeep(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value);
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainDeep(each)]));
  }
  const copy = value.map(plainDeep);
  return 'unread' in value ? Object.assign(copy, { unread: plainDeep(value.unread) }) : copy;
}

/** What an operation answers, or the sentence with which it fails, in plain lines. */
export async function inPlainLines<T>(work: Promise<T>): Promise<T> {
  try {
    return plainDeep(await work) as T;
  } catch (error) {
    const isSaid = error instanceof Refused || error instanceof InputError || error instanceof TargetFailed;
    if (isSaid) error.message = plainLine(error.message);
    throw error;
  }
}
