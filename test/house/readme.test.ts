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

/** Programs of packages that scripts run; everything else is a file of ours. */
const PROGRAMS = ['biome', 'tsc', 'vitest'];

test.each(Object.entries<string>(scripts))('what npm run %s starts is there: %s', (_name, command) => {
  for (const part of command.split(' && ')) {
    const [program = '', ...args] = part.replace(/^exec /, '').split(' ');
    if (PROGRAMS.includes(program)) continue;
    expect(program).toBe('node');
    const file = args.find((arg) => !arg.startsWith('--')) ?? '';
    expect(loadFiles(file).map(({ path }) => path)).toEqual([file]);
  }
});

test('the commands of npm that need no run are scripts', () => {
  expect(SHORT.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
