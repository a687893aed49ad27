import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const PRELOADED = new URL('../../../demo/servers/watch-src.ts', import.meta.url).href;
const SRC = new URL('../../../src/', import.meta.url).href;

/** What a watcher hears of a program that runs these lines under it. */
async function heardOf(lines: string): Promise<unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keypad-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'program.mjs');
  writeFileSync(program, lines);
  const child = fork(program, { execArgv: ['--import', PRELOADED] });
  const heard: unknown[] = [];
  child.on('message', (message) => heard.push(message));
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  return heard;
}

const importing = (...urls: readonly string[]) =>
  urls.map((url) => `process.send(${JSON.stringify({ 'watch:import': [url] })});`).join('\n');

test('a watcher hears of files of src alone, each once, and of other messages as ever', async () => {
  const others = ['file:///app/node_modules/zod/index.js', 'file:///app/menus/9-help.ts'];
  const own = [`${SRC}main.ts`, `${SRC}errors.ts`];
  const lines = `${importing(...others, ...own, ...own)}\nprocess.send({ ready: true });`;
  expect(await heardOf(lines)).toEqual([{ ready: true }, { 'watch:import': own }]);
});

test('a watcher hears in one message of all that a program had imported that ends with a mistake', async () => {
  const own = Array.from({ length: 1000 }, (_, index) => `${SRC}file-${index}.ts`);
  expect(await heardOf(`${importing(...own)}\nprocess.exit(1);`)).toEqual([{ 'watch:import': own }]);
});
