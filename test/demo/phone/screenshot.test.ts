import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { hasBrowser } from './browser.ts';

test.skipIf(!hasBrowser)(
  'the picture of the README can be taken anew (skipped where chromium is missing)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keypad-picture-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'phone.png');
    await promisify(execFile)(process.execPath, ['scripts/screenshot.mjs', file]);
    const picture = readFileSync(file);
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    // Its width: what the page asks for, at one and a half times the size.
    expect(picture.readUInt32BE(16)).toBe(1290);
  },
  60_000,
);
