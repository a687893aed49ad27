import { describe, expect, test } from 'vitest';
import { loadFiles, withoutComments } from './sources.ts';

const src = loadFiles('src/**/*.ts');
const files = [...src, ...loadFiles('menus/**/*.ts')];
const code = files.map(({ path, text }) => ({ path, text: withoutComments(text) }));

/** What reads the environment: where a process starts. */
const ENTRIES = ['src/main.ts', 'demo/main.ts', 'src/ops/audit/verify.ts', 'src/push/apps/main.ts'];

function withMatch(list: readonly { path: string; text: string }[], pattern: RegExp): readonly string[] {
  return list.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

describe('the files of the house', () => {
  test('have a median of at most 80 lines', () => {
    const lengths = files.map(({ text }) => text.split('\n').length - 1).sort((a, b) => a - b);
    expect(lengths[Math.floor((lengths.length - 1) / 2)]).toBeLessThanOrEqual(80);
  });

  test('have at most 200 lines', () => {
    const long = [...files, ...loadFiles('demo/**/*.ts')]
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > 200);
    expect(long).toEqual([]);
  });

  test('have kebab-case names', () => {
    const names = files.map(({ path }) => path.split('/').at(-1) ?? '');
    expect(names.filter((name) => !/^(_?[a-z0-9]+(-[a-z0-9]+)*)\.ts$/.test(name))).toEqual([]);
  });

  test('export by name, outside of menus', () => {
    expect(withMatch(src, /^export default/m)).toEqual([]);
  });

  test('read the environment only where a process starts', () => {
    const readers = withMatch(code, /process\.env\b/);
    expect(readers.filter((path) => !ENTRIES.includes(path))).toEqual([]);
  });

  test('know no any and silence no compiler', () => {
    expect(withMatch(code, /[:<|(,]\s*any\b(?!\s*\()|\bas any\b/)).toEqual([]);
    expect(withMatch(files, /@ts-(ignore|nocheck|expect-error)/)).toEqual([]);
  });

  test('have no class but errors, and nothing left to do', () => {
    const classes = code.flatMap(({ path, text }) =>
      [...text.matchAll(/\bclass\s+(\w+)(?!\w)(?:\s+extends\s+(\w+))?/g)]
        .filter(([, , parent]) => !parent?.endsWith('Error'))
        .map(([, name]) => `${path} ${name}`),
    );
    expect(classes).toEqual([]);
    expect(withMatch(files, /\b(TODO|FIXME|XXX)\b/)).toEqual([]);
  });
});
