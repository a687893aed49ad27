import { InputError } from '../../errors.ts';

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

const named: ReadonlyMap<string | undefined, string> = new Map([
  ['amp;', '&'],
  ['lt;', '<'],
  ['gt;', '>'],
  ['quot;', '"'],
  ['apos;', "'"],
]);

/**
 * The text with its references replaced: the five that XML predefines and the numeric ones.
 * Any other `&` throws {@link InputError}: nothing a sender declares is ever expanded.
 */
export function readReferences(text: string): string {
  return text.replace(/&([#\w]{1,12};)?/g, (_, reference: string | undefined) => {
    const character = named.get(reference) ?? readNumericReference(reference ?? '');
    if (character === '') throw new InputError('an XML reference is none of those that XML predefines');
    return character;
  });
}

/** The character of `#65;` or `#x41;`; empty when it is neither, or stands for what XML does not allow. */
function readNumericReference(reference: string): string {
  const [, decimal, hex] = /^#(?:(\d+)|x([\da-fA-F]+));$/.exec(reference) ?? [];
  const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16);
  return code <= 0x10ffff ? legalText(String.fromCodePoint(code)) : '';
}
