/** Bytes of UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/** The first `bytes` bytes of a text, whole characters only. */
export function cutToBytes(text: string, bytes: number): string {
  if (bytesOf(text) <= bytes) return text;
  let used = 0;
  let cut = '';
  for (const character of text) {
    used += bytesOf(character);
    if (used > bytes) break;
    cut += character;
  }
  return cut;
}

/** A text of at most `bytes` bytes, with a mark where something was cut off. */
export function clip(text: string, bytes: number): string {
  return bytesOf(text) <= bytes ? text : `${cutToBytes(text, bytes - 3)}…`;
}
