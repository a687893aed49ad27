import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTextFile } from '../../src/server/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'keypad-text-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
mkdirSync(path('folder'));
execFileSync('mkfifo', [path('pipe')]);
symlinkSync(path('loop'), path('loop'));
writeFileSync(path('long'), 'x'.repeat(1025));
writeFileSync(path('latin'), Buffer.from([0x61, 0xe4]));
writeFileSync(path('whole'), '汉'.repeat(341));

test.each([
  ['a folder', path('folder'), 'no file'],
  ['a pipe that nobody writes to', path('pipe'), 'no file'],
  ['a device without an end', '/dev/zero', 'no file'],
  ['nothing', path('nothing'), 'cannot be read (ENOENT)'],
  ['a link to itself', path('loop'), 'cannot be read (ELOOP)'],
  ['more than it may hold', path('long'), 'over 1 KiB'],
  ['another encoding', path('latin'), 'no UTF-8'],
])('%s in the place of a file is refused with a sentence', (_, file, sentence) => {
  expect(() => readTextFile(file, 1024)).toThrow(`names ${file}, which`);
  expect(() => readTextFile(file, 1024)).toThrow(sentence);
});

test('a file that is as long as it may be is read', () => {
  expect(readTextFile(path('whole'), 1023)).toBe('汉'.repeat(341));
});
