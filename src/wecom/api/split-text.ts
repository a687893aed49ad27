const NEW_LINE = 0x0a;
/** The longest code point in UTF-8; a part that holds none would never end. */
const LONGEST_CODE_POINT = 4;

/**
 * Cuts a text into parts of at most `bytes` bytes of UTF-8 (2048 is WeCom's limit, §4.2), in order and with nothing
 * lost. A part ends with a line where that leaves it at least half full, and never inside a code point.
 */
export function splitText(text: string, bytes = 2048): readonly string[] {
  if (bytes < LONGEST_CODE_POINT) throw new RangeError(`a part needs at least ${LONGEST_CODE_POINT} bytes`);
  const utf8 = Buffer.from(text);
  const parts: string[] = [];
  for (let from = 0, to = 0; from < utf8.length; from = to) {
    to = endOfPart(utf8, from, bytes);
    parts.push(utf8.toString('utf8', from, to));
  }
  return parts;
}

function endOfPart(utf8: Buffer, from: number, bytes: number): number {
  if (utf8.length - from <= bytes) return utf8.length;
  const lines = utf8.subarray(from, from + bytes).lastIndexOf(NEW_LINE) + 1;
  if (lines >= bytes / 2) return from + lines;
  let end = from + bytes;
  while (isContinuation(utf8[end] ?? 0)) end -= 1;
  return end;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
