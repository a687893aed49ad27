import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { catalogue } from '#test/operations.ts';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { loadTree } from '../../src/menu/tree/load.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** A menu folder with these files, anywhere on the disk. */
function menu(files: Readonly<Record<string, string>>): {
  directory: string;
  write(path: string, text: string): void;
} {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-menu-'));
  directories.push(directory);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  return { directory, write };
}

const load = (directory: string) => loadTree(directory, catalogue);
const ROOT = `import { folder } from '#menu';\nexport default folder({ title: '首页' });\n`;
const entry = (title: string, more = '') =>
  `import { action } from '#menu';\nexport default action({ title: ${JSON.stringify(title)}, ${more} run: () => 'ok' });\n`;

const bad: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, problem: RegExp]>> = {
  'two files of one number': [
    { '1-a.ts': entry('a'), '1-b.ts': entry('b') },
    /1-b\.ts: has the number 1 of 1-a\.ts; give/,
  ],
  'no title': [{ '1-a.ts': entry('') }, /1-a\.ts: has no title/],
  'a title over the limit': [{ '1-a.ts': entry('长'.repeat(21)) }, /1-a\.ts: the title is over 60 bytes/],
  'no default export': [{ '1-a.ts': 'export const x = 1;' }, /1-a\.ts: has no default export/],
  'a file that does not parse': [{ '1-a.ts': 'export default {' }, /1-a\.ts: cannot be loaded/],
  'a file without a number': [{ 'scale.ts': entry('a') }, /scale\.ts: name it number-words\.ts/],
  'the number 0, which means back': [{ '0-a.ts': entry('a') }, /0-a\.ts: name it number-words\.ts/],
  'a folder without index.ts': [{ '1-a/1-b.ts': entry('b') }, /1-a\/: has no index\.ts/],
  'a folder without a number': [{ 'a/index.ts': ROOT }, /a\/: name it number-words/],
  'an entry in an index.ts': [{ '1-a/index.ts': entry('a') }, /1-a\/index\.ts: must export a folder/],
  'within another folder than it stands in': [
    {
      '1-a/index.ts': ROOT,
      '2-b.ts': `import { action } from '#menu';\nimport a from './1-a/index.ts';\nexport default action(a, { title: 'b', run: () => '' });`,
    },
    /2-b\.ts: says it is within "首页" but does not stand under/,
  ],
  'a question asked twice on the way': [
    {
      'index.ts': `import { folder, text } from '#menu';\nexport default folder({ title: 'a', ask: { x: text('x') } });`,
      '1-a.ts': `import { action, text } from '#menu';\nexport default action({ title: 'a', ask: { x: text('x') }, run: () => '' });`,
    },
    /1-a\.ts: asks "x", which index\.ts asks already/,
  ],
};

for (const [what, [files, problem]] of Object.entries(bad)) {
  test(`${what} is named with the remedy`, async () => {
    const loading = load(menu({ 'index.ts': ROOT, ...files }).directory);
    await expect(loading).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
  });
}

const remedy = 'a menu file imports only #menu, an index.ts, and files of its folder that begin with _';
const late =
  '1-a.ts: has import(…), import.meta, or a comment behind import; a menu file only imports at its top';
const imports: Readonly<Record<string, readonly [text: string, problem: string]>> = {
  'a module of Node': [`import 'node:fs';`, `1-a.ts: imports "node:fs"; ${remedy}`],
  'one without its prefix': [`import 'child_process';`, `1-a.ts: imports "child_process"; ${remedy}`],
  'a package': [`import { z } from 'zod';`, `1-a.ts: imports "zod"; ${remedy}`],
  'what makes a require': [
    `import { createRequire } from 'node:module';`,
    `1-a.ts: imports "node:module"; ${remedy}`,
  ],
  'an export from elsewhere': [`export * from 'node:net';`, `1-a.ts: imports "node:net"; ${remedy}`],
  'a dynamic import': [`await import('node:os');`, late],
  'one in between': [`[...import /* ( */ // (\n('node:os')];`, late],
  'one that asks where it stands': [`import.meta.resolve('node:os');`, late],
  'another entry': [`import './2-b.ts';`, `1-a.ts: imports "./2-b.ts"; ${remedy}`],
  'a file above the folder': [`import '../_x.ts';`, `1-a.ts: imports "../_x.ts"; ${remedy}`],
  'one above the top of all': [
    `import '${'../'.repeat(30)}etc/_x.ts';`,
    `1-a.ts: imports "${'../'.repeat(30)}etc/_x.ts"; ${remedy}`,
  ],
  'one by its whole path': [`import '/etc/_x.ts';`, `1-a.ts: imports "/etc/_x.ts"; ${remedy}`],
  'one by its URL': [`import 'file:/etc/_x.ts';`, `1-a.ts: imports "file:/etc/_x.ts"; ${remedy}`],
  'code in a URL': [
    `import 'data:text/javascript,1';`,
    `1-a.ts: imports "data:text/javascript,1"; ${remedy}`,
  ],
  'a file of another kind': [`import './_x.json';`, `1-a.ts: imports "./_x.json"; ${remedy}`],
  'a file that is not there': [`import './_y.ts';`, '1-a.ts: imports "./_y.ts", which is not there'],
  'what a file imports that it imports': [`import './_x.ts';`, `_x.ts: imports "node:vm"; ${remedy}`],
};

for (const [what, [text, problem]] of Object.entries(imports)) {
  test(`an import is refused: ${what}`, async () => {
    const files = {
      'index.ts': ROOT,
      '1-a.ts': `${text}\n${entry('a')}`,
      '2-b.ts': entry('b'),
      '_x.ts': `import 'node:vm';`,
      '_x.json': '1',
    };
    await expect(load(menu(files).directory)).rejects.toMatchObject({ problems: [problem] });
  });
}

test('a file is a module of ES, so it has no require, whatever package.json stands beside it', async () => {
  const files = { 'index.ts': ROOT, '1-a.ts': entry('a'), '_x.ts': `module.exports = require('node:fs');` };
  const { directory } = menu({ ...files, '1-a.ts': `import './_x.ts';\n${entry('a')}` });
  await expect(load(directory)).rejects.toMatchObject({
    problems: [expect.stringMatching(/1-a\.ts: cannot be loaded: (module|require) is not defined/)],
  });
});

test('an entry may have a name that ends like that of a folder', async () => {
  const { root } = await load(menu({ 'index.ts': ROOT, '1-index.ts': entry('a') }).directory);
  expect(root.children.get(1)?.entry.title).toBe('a');
});

test('a folder that is not there is named', async () => {
  await expect(load('/nowhere')).rejects.toMatchObject({
    problems: [expect.stringContaining('set MENUS_DIR')],
  });
});

test('a changed file is a new generation, and what it imports is read anew with it', async () => {
  const { directory, write } = menu({
    'index.ts': ROOT,
    '_words.ts': `export const word = '旧';`,
    '1-a.ts': `import { action } from '#menu';\nimport root from './index.ts';\nimport { word } from './_words.ts';\nexport default action(root, { title: 'a', run: () => word });`,
  });
  const before = await load(directory);
  write('_words.ts', `export const word = '新';`);
  const after = await load(directory);
  expect(after.generation).not.toBe(before.generation);
  expect(await (await phoneWith(before, { ops: fakeOps({}) })).say('1')).toContain('旧');
  expect(await (await phoneWith(after, { ops: fakeOps({}) })).say('1')).toContain('新');
});

test('the same files are the same generation, as on another replica', async () => {
  const files = { 'index.ts': ROOT, '1-a.ts': entry('a') };
  const [one, two] = await Promise.all([load(menu(files).directory), load(menu(files).directory)]);
  expect(one.generation).toBe(two.generation);
});
