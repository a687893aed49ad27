const DIGITS = '零一二三四五六七八九';
/** Numbers in Chinese, in plain digits. */
const SPELLED: ReadonlyMap<string, string> = new Map([
  ['〇', '0'],
  ['两', '2'],
  ...Array.from({ length: 100 }, (_, number) => [spell(number), `${number}`] as const),
]);

function spell(number: number): string {
  const [tens, ones] = [Math.floor(number / 10), number % 10];
  if (tens === 0) return DIGITS.charAt(ones);
  return `${tens > 1 ? DIGITS.charAt(tens) : ''}十${ones > 0 ? DIGITS.charAt(ones) : ''}`;
}

/**
 * Maps the full-width forms of ASCII (U+FF01–FF5E) and the ideographic space to plain ones, and takes out what cannot be
 * seen, such as a zero-width space. Nothing else changes.
 */
export function halfWidth(line: string): string {
  return line
    .replaceAll(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll('　', ' ')
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
}

/** The number 1–9999 that a line is, in plain ASCII digits without a leading zero. */
export function readNumber(line: string): number | undefined {
  return /^[1-9][0-9]{0,3}$/.test(line) ? Number(line) : undefined;
}

/**
 * A number as people write it, in plain digits: `３`, `③`, `⑶`, `三`, `3.`, `3，` and `（3）` are `3`, `两` is `2`, `十一` is
 * `11`, `零` is `0`. Any other line comes back in plain ASCII, without the spaces around it.
 */
export function plainDigits(line: string): string {
  const plain = halfWidth(line).trim();
  // NFKC makes ③ a 3 and ⑶ a (3).
  const [, number = ''] = /^\(?([^()]{1,15}?)[).、。,:;]*$/.exec(plain.normalize('NFKC')) ?? [];
  return /^[1-9][0-9]*$/.test(number) ? number : (SPELLED.get(number) ?? plain);
}
