import { sentences } from './sentences.ts';

/** Bytes of UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/** The first `bytes` bytes of a text, whole characters only. */
export function cutToBytes(text: string, bytes: number): string {
  if (bytesOf(text) <= bytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, bytes)));
  return text.slice(0, read);
}

/** A text of at most `bytes` bytes, with a mark where something was cut off. */
export function clip(text: string, bytes: number): string {
  return bytesOf(text) <= bytes ? text : `${cutToBytes(text, bytes - 3)}…`;
}

/** The same with the mark in the middle: names often differ at their end. */
export function clipMiddle(text: string, bytes: number): string {
  if (bytesOf(text) <= bytes) return text;
  const half = Math.floor((bytes - 3) / 2);
  let end = '';
  for (const character of [...text].reverse()) {
    if (bytesOf(character + end) > half) break;
    end = character + end;
  }
  return `${cutToBytes(text, bytes - 3 - half)}…${end}`;
}

/** A list from the platform: rows, and in `unread` what could not be read for it, one sentence each. */
export type Listing<T> = readonly T[] & { readonly unread?: readonly string[] };

/** What could not be read for a list, one line each. */
export function unreadLines({ unread = [] }: Listing<unknown>): readonly string[] {
  return unread.map(sentences.unread);
}

/**
 * Words rows for a narrow screen: one line each, the `label` of an object or the string itself. What could not be read
 * for them stands above.
 */
export function table(rows: Listing<string | { readonly label: string }>): string;
/** The same with the words of `word`; a row for which it has none is left out. */
export function table<T>(rows: Listing<T>, word: (row: T) => string | undefined): string;
export function table<T>(rows: Listing<T>, word: (row: T) => string | undefined = labelOf): string {
  const lines = rows.map(word).filter((line) => line !== undefined);
  const shown = [...unreadLines(rows), ...lines];
  return shown.length === 0 ? sentences.emptyTable : shown.join('\n');
}

function labelOf(row: unknown): string {
  return typeof row === 'string' ? row : (row as { readonly label: string }).label;
}
