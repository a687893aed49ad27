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
