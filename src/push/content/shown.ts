/** Controls but line feed and tab, and the signs that turn the direction of what follows, or stand for a line end of their own. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A text with nothing hidden in it: each control character but line feed and tab, each mark of direction and each other line
 * separator is one U+FFFD (�), and CR LF one line feed. What is shown so stays as it is when it comes again.
 */
export function shown(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(HIDDEN, '\ufffd');
}
