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
