import { expect, test } from 'vitest';
import { adviseOn } from '../../src/wecom/api/errcodes.ts';
import { loadFiles } from './sources.ts';

const page = loadFiles('docs/wecom-protocol.md')[0]?.text ?? '';

/** The codes of the table of §4.13; `40004–40006` are three. */
function codesOfPage(): ReadonlySet<number> {
  const [, table = ''] = /### 4\.13 [\s\S]*?\n\|[\s\S]*?\|---\|.*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  const codes = cells.flatMap((cell) => [...cell.matchAll(/(-1|\d{5,6})(?:–(\d{5,6}))?/g)]);
  return new Set(
    codes.flatMap(([, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) => Number(first) + step),
    ),
  );
}

test('the protocol page and the table of error codes have the same codes', () => {
  const source = loadFiles('src/wecom/api/errcodes.ts')[0]?.text ?? '';
  const rows = [...source.matchAll(/: \[((?:-?\d+,?\s*)+)\],/g)].map(([, codes = '']) => codes);
  const codes = rows
    .flatMap((row) => row.split(','))
    .map(Number)
    .filter((code) => code !== 0);
  expect(codes.length).toBeGreaterThan(50);
  expect([...codesOfPage()].sort()).toEqual([...new Set(codes)].sort());
});

test('every code of the protocol page has advice of its own', () => {
  const unlisted = adviseOn(1, '').advice;
  expect([...codesOfPage()].filter((code) => adviseOn(code, '').advice === unlisted)).toEqual([]);
});
