import type { z } from 'zod';
import type { contentFields } from './content-schema.ts';

/** A picture or file that was handed in, by the SHA-256 of its bytes in hex; the bytes stand in the table `media`. */
export interface StoredMedia {
  readonly sha256: string;
  /** What receivers see as the file's name (§4.6). */
  readonly name: string;
}

type Fields = z.output<z.ZodObject<ReturnType<typeof contentFields>>>;

/** What a message says: exactly one of these, as it stands in the database and, but for media, in the API. */
export type Content =
  /** `mentioned`: userids that a text in a group mentions, or `@all` (§4.5, §5). */
  | (Pick<Fields, 'text'> & Partial<Pick<Fields, 'mentioned'>>)
  /** `plainTextFor`: who gets it as plain text, because they read in personal WeChat, which shows no markdown (§4.2). */
  | (Pick<Fields, 'markdown'> & Partial<Pick<Fields, 'plainTextFor'>>)
  | Pick<Fields, 'textcard'>
  | { readonly image: StoredMedia }
  | { readonly file: StoredMedia }
  | Pick<Fields, 'news'>
  /** As WeCom takes it (§4.3). */
  | Pick<Fields, 'templateCard'>;

/** The kinds of content by their name in the API; the scopes of an app name them. */
export const contentKinds = [
  'text',
  'markdown',
  'textcard',
  'image',
  'file',
  'news',
  'templateCard',
] as const;
export type ContentKind = (typeof contentKinds)[number];

/** Which kind a content is. */
export function kindOf(content: Content): ContentKind {
  return contentKinds.find((kind) => kind in content) ?? 'text';
}
