import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const section = readFileSync(join(root, 'deploy/README.md'), 'utf8').split('### Reviewing a change')[1] ?? '';

test('deploy/README.md shows what the two commands of a review print of its example', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-review-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const old = readFileSync(join(root, 'deploy/policy.yaml'), 'utf8');
  const [, diff = '', shown = ''] = /```diff\n([\s\S]*?)```[\s\S]*?```\n([\s\S]*?)```/.exec(section) ?? [];
  const edits = [...diff.matchAll(/^-(.+)\n\+(.+)\n/gm)];
  expect(edits).toHaveLength(2);
  const changed = edits.reduce((text, [, from = '', to = '']) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, old);
  mkdirSync(join(directory, 'deploy'));
  writeFileSync(join(directory, 'deploy/policy.yaml'), changed);
  writeFileSync(join(directory, 'old.yaml'), old);
  cpSync(join(root, 'operations'), join(directory, 'operations'), { recursive: true });

  const commands = [...shown.matchAll(/^\$ npm run policy -- (.+)\n([^$]*)/gm)];
  expect(commands.map(([, words = '']) => words)).toEqual(['--against old.yaml', '--user lisi']);
  const printed = commands.map(([, words = '']) => {
    const program = join(root, 'src/ops/review/main.ts');
    const { status, stdout } = spawnSync(process.execPath, [program, ...words.split(' ')], {
      cwd: directory,
      encoding: 'utf8',
    });
    return { status, stdout };
  });
  expect(printed.map(({ stdout }) => stdout)).toEqual(commands.map(([, , text]) => text));
  expect(printed.map(({ status }) => status)).toEqual([1, 0]);
});
