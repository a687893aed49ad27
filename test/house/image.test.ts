import { expect, test } from 'vitest';
import { loadFiles } from './sources.ts';

const read = (path: string): string => loadFiles(path)[0]?.text ?? '';

const rules = read('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Whether a file gets into the build: the last rule that fits it or a folder above it decides, as Docker has it. */
function isSent(path: string): boolean {
  const folders = path.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'));
  const deciding = rules.findLast((rule) => folders.some((each) => patternOf(rule).test(each)));
  return deciding === undefined || deciding.startsWith('!');
}

/** A rule of Docker, in which `*` also fits names that begin with a dot. */
function patternOf(rule: string): RegExp {
  const parts = rule.replace('!', '').split(/(\*\*\/|\*)/);
  const forms: Readonly<Record<string, string>> = { '**/': '(.*/)?', '*': '[^/]*' };
  return new RegExp(`^${parts.map((part) => forms[part] ?? part.replaceAll('.', '\\.')).join('')}$`);
}

test('the image is made of src, menus and the package files', () => {
  const sent = loadFiles('{*.*,.env*,{src,menus,demo,docs,deploy,keys,scripts,test}/**/*.*}')
    .map(({ path }) => path)
    .filter(isSent);
  const parts = new Set(sent.map((path) => path.split('/')[0]));
  expect([...parts].sort()).toEqual(['menus', 'package-lock.json', 'package.json', 'src']);
  expect(sent.filter((path) => !/\.(ts|json)$/.test(path))).toEqual([]);
  expect(isSent('.env')).toBe(false);
  expect(isSent('keys/ops-signing-key.json')).toBe(false);
});

test('what the Dockerfile copies is sent', () => {
  const copied = [...read('deploy/Dockerfile').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );
  expect(copied.length).toBeGreaterThan(2);
  expect(copied.filter((path) => !isSent(path))).toEqual([]);
});
