const CIRCLED = '①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳';
const CHINESE = '一二三四五六七八九十';

/** Maps the full-width forms of ASCII (U+FF01–FF5E) and the ideographic space to plain ones. Nothing else changes. */
export function halfWidth(line: string): string {
  return line
    .replaceAll(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll('　', ' ');
}

/** The number 1–9999 that a line is, in plain ASCII digits without a leading zero. */
export function readNumber(line: string): number | undefined {
  return /^[1-9][0-9]{0,3}$/.test(line) ? Number(line) : undefined;
}

/**
 * A number as people write it, in plain digits: `３`, `③`, `三`, `3.`, `3、` and `3)` are `3`, `零` and `〇` are `0`. Any other line comes back
 * in plain ASCII, without the spaces around it.
 */
export function plainDigits(line: string): string {
  const plain = halfWidth(line).trim();
  const [, listed] = /^([1-9][0-9]{0,3})[.、)。]$/.exec(plain) ?? [];
  if (listed !== undefined) return listed;
  if (plain === '零' || plain === '〇') return '0';
  const spelled = plain.length === 1 ? Math.max(CIRCLED.indexOf(plain), CHINESE.indexOf(plain)) : -1;
  return spelled < 0 ? plain : `${spelled + 1}`;
}
