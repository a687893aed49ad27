import { describe, expect, test } from 'vitest';
import { loadFiles, type SourceFile } from './sources.ts';

/** The page that a § in this repository is a section of. */
const PAGE = 'docs/wecom-protocol.md';

/** The words that may stand right before a §; any other is the name of a page, and there is no other page with sections. */
const BEFORE = ['protocol', 'page', 'of', 'in', 'and', 'to', 'or', 'see', 'what', 'besides', 'for', 'as'];

const sections = sectionsOf(loadFiles(PAGE)[0]?.text ?? '');

/** The numbers of the headings of a page: `4.2` of `### 4.2 message/send`. */
function sectionsOf(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number = '']) => number));
}

/** Each § of a file that leads nowhere, with its line. */
function danglingIn({ path, text }: SourceFile): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/(?:\b(\w+) )?§\s?(\d+(?:\.\d+)*)/g)]
        .filter(
          ([, word = 'see', number = '']) => !BEFORE.includes(word.toLowerCase()) || !sections.has(number),
        )
        .map(([cited]) => `${path}:${index + 1} ${cited.trim()}`),
    );
}

test('every § of the code and the documents is a section of the protocol page', () => {
  const files = loadFiles(
    '{*.md,*.yaml,docs/*.md,menus/**/*.*,deploy/*.*,scripts/*.*,src/**/*.ts,demo/**/*.{ts,js,css,html},test/**/*.{ts,md}}',
  ).filter(({ path }) => path !== 'test/house/sections.test.ts');
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap(danglingIn)).toEqual([]);
});

describe('a § that leads nowhere is named with its line', () => {
  test.each([
    ['// see §4.2 and protocol §2.5', []],
    ['// (§1–§3)', []],
    ['\n// see §4.99', ['a.ts:2 see §4.99']],
    ['// design §3', ['a.ts:1 design §3']],
  ])('%j', (text, dangling) => {
    expect(danglingIn({ path: 'a.ts', text })).toEqual(dangling);
  });
});
