/** Whatever XML 1.0 does not allow in a document: most control characters, lone surrogates, U+FFFE and U+FFFF. */
const illegal = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** The text without the characters that XML 1.0 does not allow (§3.3). */
export function legalText(text: string): string {
  return text.replace(illegal, '');
}

/** The text as a CDATA section, whatever it holds: `]]>` is split, what XML does not allow is dropped (§3.3). */
export function cdata(text: string): string {
  return `<![CDATA[${legalText(text).replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}

const named: ReadonlyMap<string, string> = new Map([
  ['amp;', '&'],
  ['lt;', '<'],
  ['gt;', '>'],
  ['quot;', '"'],
  ['apos;', "'"],
]);

/**
 * The text with its references replaced: the five that XML predefines and the numeric ones. Any other `&` stays as it
 * stands: nothing a sender declares is ever expanded, and an odd sign in a link or a file name fails no message.
 */
export function readReferences(text: string): string {
  return text.replace(
    /&([#\w]{1,12};)/g,
    (whole, reference: string) => named.get(reference) ?? (readNumericReference(reference) || whole),
  );
}

/** The character of `#65;` or `#x41;`; empty when it is neither, or stands for what XML does not allow. */
function readNumericReference(reference: string): string {
  const [, decimal, hex] = /^#(?:(\d+)|x([\da-fA-F]+));$/.exec(reference) ?? [];
  const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16);
  return code <= 0x10ffff ? legalText(String.fromCodePoint(code)) : '';
}
