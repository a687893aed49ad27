import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchFolder } from '../../src/server/watched-folder.ts';

let folder: string;
let close = (): void => {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keypad-watched-'));
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

/** Watches the folder; each change is noted, and then meets `work`. */
function watched(isRecursive: boolean, work: () => unknown = () => {}) {
  const heard: string[] = [];
  close = watchFolder({
    folder,
    isRecursive,
    settledMs: 40,
    onChange() {
      heard.push('changed');
      return work();
    },
    onError: (error) => heard.push(`${error}`),
  });
  return heard;
}
const write = (name: string, text = '1') => writeFileSync(join(folder, name), text);

test('what is written in several steps is one change', async () => {
  const heard = watched(false);
  for (const text of ['1', '2', '3']) write('a', text);
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(['changed']);
});

test('a file that another takes the place of has changed', async () => {
  write('next');
  const heard = watched(false);
  renameSync(join(folder, 'next'), join(folder, 'a'));
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(['changed']);
});

test('a file in an inner folder is heard of where that is asked for', async () => {
  mkdirSync(join(folder, 'inner'));
  const heard = watched(true);
  write('inner/a');
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(['changed']);
});

test.each(['a', 'inner/a'])('%s is heard of however often an editor has replaced it', async (name) => {
  mkdirSync(join(folder, 'inner'));
  write(name);
  const heard = watched(true);
  for (const count of [1, 2, 3]) {
    write('inner/next', `${count}`);
    renameSync(join(folder, 'inner/next'), join(folder, name));
    await expect.poll(() => heard.length, { timeout: 5000 }).toBe(2 * count - 1);
    write(name, 'in place');
    await expect.poll(() => heard.length, { timeout: 5000 }).toBe(2 * count);
  }
});

test('a folder that came later is watched, also when it took the place of another', async () => {
  const heard = watched(true);
  for (const count of [1, 2]) {
    rmSync(join(folder, 'inner'), { recursive: true, force: true });
    mkdirSync(join(folder, 'inner/most'), { recursive: true });
    await expect.poll(() => heard.length, { timeout: 5000 }).toBe(2 * count - 1);
    write('inner/most/a');
    await expect.poll(() => heard.length, { timeout: 5000 }).toBe(2 * count);
  }
});

test('a folder that is gone is reported once, and watched again when it is back', async () => {
  const heard = watched(true);
  rmSync(folder, { recursive: true });
  await expect.poll(() => heard.length, { timeout: 5000 }).toBe(1);
  expect(heard[0]).toContain('ENOENT');
  mkdirSync(folder);
  await expect.poll(() => heard.slice(1), { timeout: 5000 }).toEqual(['changed']);
  write('a');
  await expect.poll(() => heard.slice(1), { timeout: 5000 }).toEqual(['changed', 'changed']);
});

test.each([
  [
    'throws',
    () => {
      throw new RangeError('not foreseen');
    },
  ],
  ['rejects', () => Promise.reject(new RangeError('not foreseen'))],
])('a reload that %s is reported, ends nothing, and the next change is heard', async (_, work) => {
  const heard = watched(false, work);
  write('a', '1');
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(['changed', 'RangeError: not foreseen']);
  write('a', '2');
  await expect.poll(() => heard.length, { timeout: 5000 }).toBe(4);
});
