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

/** Words rows for a narrow screen: one line each, the `label` of an object or the string itself. */
export function table(rows: readonly (string | { readonly label: string })[]): string {
  if (rows.length === 0) return sentences.emptyTable;
  return rows.map((row) => (typeof row === 'string' ? row : row.label)).join('\n');
}
