import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFiles, root } from './sources.ts';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Scripts that npm runs without `run`. */
const SHORT = ['test', 'start'];

const documents = loadFiles('{*,menus/README,deploy/README,docs/*}.md').concat(
  loadFiles('.env.example'),
  loadFiles('.ci/run'),
  loadFiles('.github/workflows/*.yml'),
);

test.each(documents)('each npm command in $path is a script of package.json', ({ text }) => {
  const long = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => name);
  const short = [...text.matchAll(/\bnpm (test|start)\b/g)].map(([, name]) => name);
  expect([...long, ...short].filter((name) => !Object.hasOwn(scripts, name ?? ''))).toEqual([]);
});

test.each(Object.entries<string>(scripts))('the file that npm run %s starts is there', (name, command) => {
  const files = [...command.matchAll(/\bnode (\S+\.(?:ts|mjs))/g)].map(([, file]) => file ?? '');
  expect(files.filter((file) => loadFiles(file).length === 0)).toEqual([]);
  expect(name.length).toBeGreaterThan(0);
});

test('the commands of npm that need no run are scripts', () => {
  expect(SHORT.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
