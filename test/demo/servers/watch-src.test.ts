import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const PRELOADED = new URL('../../../demo/servers/watch-src.ts', import.meta.url).href;
const SRC = new URL('../../../src/', import.meta.url).href;

test('a watcher hears of files of src alone, and of other messages as ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keypad-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'program.mjs');
  const messages = [
    { 'watch:import': ['file:///app/node_modules/zod/index.js'] },
    { 'watch:import': [`${SRC}main.ts`] },
    { 'watch:import': ['file:///app/menus/9-help.ts'] },
    { ready: true },
  ];
  writeFileSync(program, `for (const each of ${JSON.stringify(messages)}) process.send(each);`);
  const child = fork(program, { execArgv: ['--import', PRELOADED] });
  const heard: unknown[] = [];
  child.on('message', (message) => heard.push(message));
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  expect(heard).toEqual([{ 'watch:import': [`${SRC}main.ts`] }, { ready: true }]);
});
