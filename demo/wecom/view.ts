/** A place that a tap on a message leads to. */
export interface Link {
  readonly title: string;
  readonly url: string;
}

/** One line of a card; `tone` is the class that a textcard gives it (protocol §4.2), or the `emphasis` of a template card. */
export interface Line {
  readonly text: string;
  readonly tone?: 'gray' | 'normal' | 'highlight' | 'emphasis';
}

/** How a phone shows a message that is more than its text. `src` is a path of the phone's own server. */
export type View =
  | { readonly kind: 'markdown' }
  | { readonly kind: 'image'; readonly src: string }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: number; readonly src: string }
  | {
      readonly kind: 'card';
      readonly source?: string;
      readonly title: string;
      readonly lines: readonly Line[];
      /** Name and value, one pair a row. */
      readonly rows: readonly (readonly [name: string, value: string])[];
      readonly links: readonly Link[];
      readonly buttons: readonly string[];
    }
  | {
      readonly kind: 'news';
      readonly articles: readonly (Link & { readonly description: string })[];
    };

/** What a message is on a phone: a text for those that show nothing else, and the rest. */
export interface Shown {
  readonly text: string;
  /** There when WeCom cut the text. */
  readonly cut?: true;
  readonly view?: View;
}

const LIMIT = 2048;

/** What is left of a text after WeCom's silent cut at 2048 bytes of UTF-8 (protocol §3.2, §4.2), or so many, on a whole character. */
export function cutText(text: string, limit = LIMIT): { readonly text: string; readonly cut: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return { text, cut: false };
  let end = limit;
  while (isContinuation(bytes[end])) end -= 1;
  return { text: bytes.toString('utf8', 0, end), cut: true };
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}
