import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createMenus } from '../../src/chat/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { loadFiles } from '../../src/menu/tree/load.ts';

const ROOT = `import { folder } from '#menu';\nexport default folder({ title: '首页' });\n`;
const ENTRY = (title: string) =>
  `import { action } from '#menu';\nexport default action({ title: '${title}', run: () => 'ok' });\n`;
const opened: string[] = [];
afterEach(() => {
  for (const directory of opened.splice(0)) rmSync(directory, { recursive: true });
});

async function open(files: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-menus-'));
  opened.push(directory);
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const loaded: string[] = [];
  const refused: boolean[] = [];
  const problems: string[] = [];
  const menus = await createMenus({
    directory,
    loadFiles: (folder) => loadFiles(folder, 300),
    operations: () => undefined,
    onLoaded({ generation }, _, isRefused) {
      loaded.push(generation);
      refused.push(isRefused);
    },
    onProblems: (found) => void problems.push(...found),
  });
  const title = () => menus.at(undefined).root.children.get(1)?.entry.title;
  return { menus, write, loaded, refused, problems, title, directory };
}

test('a bad file stops the start and is named', async () => {
  await expect(open({ 'index.ts': ROOT, '1-a.ts': ENTRY('') })).rejects.toThrow(ConfigError);
});

test('a bad file at reload is named, and the old menu goes on serving', async () => {
  const { menus, write, problems, title } = await open({ 'index.ts': ROOT, '1-a.ts': ENTRY('旧') });
  write('1-a.ts', 'export default 1');
  await menus.reload();
  expect(problems[0]).toContain('1-a.ts: has no default export');
  expect(title()).toBe('旧');
  write('1-a.ts', ENTRY('好'));
  await menus.reload();
  expect(title()).toBe('好');
});

test('a bad file stays refused when the platform has other operations meanwhile, until it is good', async () => {
  const { menus, write, refused } = await open({ 'index.ts': ROOT, '1-a.ts': ENTRY('旧') });
  write('1-a.ts', 'export default 1');
  await menus.reload();
  await menus.rebuild();
  write('1-a.ts', ENTRY('好'));
  await menus.reload();
  await menus.rebuild();
  expect(refused).toEqual([false, true, false, false]);
});

test('a file that is gone when it is read is named, and the next reload works again', async () => {
  const { menus, write, problems, title, directory } = await open({
    'index.ts': ROOT,
    '1-a.ts': ENTRY('旧'),
  });
  symlinkSync('/nowhere', join(directory, '2-b.ts'));
  await menus.reload();
  expect(problems[0]).toContain('2-b.ts: cannot be read');
  expect(title()).toBe('旧');
  rmSync(join(directory, '2-b.ts'));
  write('1-a.ts', ENTRY('新'));
  await menus.reload();
  expect(title()).toBe('新');
});

test('a file that never ends loading, or a pipe in its place, keeps no later menu away', async () => {
  const { menus, write, problems, title, directory } = await open({
    'index.ts': ROOT,
    '1-a.ts': ENTRY('旧'),
  });
  write('1-a.ts', `await new Promise(() => {});\n${ENTRY('never')}`);
  await menus.reload();
  expect(problems.splice(0)).toEqual(['1-a.ts: cannot be loaded: it awaits something for over 0.3 s']);
  rmSync(join(directory, '1-a.ts'));
  execFileSync('mkfifo', [join(directory, '1-a.ts')]);
  await menus.reload();
  expect(problems.splice(0)).toEqual([
    '1-a.ts: cannot be read; it may have been removed just now, be no file, or be over 1 MiB',
  ]);
  expect(title()).toBe('旧');
  rmSync(join(directory, '1-a.ts'));
  write('1-a.ts', ENTRY('新'));
  await menus.reload();
  expect(title()).toBe('新');
});

test('a reload whose report fails keeps no later one away', async () => {
  const { menus, write, problems, title } = await open({ 'index.ts': ROOT, '1-a.ts': ENTRY('旧') });
  write('1-a.ts', 'export default 1');
  problems.push = () => {
    throw new Error('no report');
  };
  await expect(menus.reload()).rejects.toThrow('no report');
  write('1-a.ts', ENTRY('新'));
  await menus.reload();
  expect(title()).toBe('新');
});

test('what stands in a hidden folder is no entry', async () => {
  const { menus, problems, title, directory } = await open({ 'index.ts': ROOT, '1-a.ts': ENTRY('甲') });
  mkdirSync(join(directory, '..data'));
  writeFileSync(join(directory, '..data', 'whatever.txt'), 'x');
  await menus.reload();
  expect(problems).toEqual([]);
  expect(title()).toBe('甲');
});

test('a session finds the generation it began with while it is held', async () => {
  const { menus, write, loaded } = await open({ 'index.ts': ROOT, '1-a.ts': ENTRY('一') });
  for (const title of ['二', '三', '四', '五']) {
    write('1-a.ts', ENTRY(title));
    await menus.reload();
  }
  const [first, second] = loaded as [string, string];
  expect(menus.at(second).generation).toBe(second);
  expect(menus.at(first).generation).toBe(loaded.at(-1));
});
