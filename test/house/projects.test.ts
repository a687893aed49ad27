import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectOf, testFiles } from '../projects.ts';
import { loadFiles, root } from './sources.ts';

const asTest = (text: string) => ({ path: 'test/house/some.test.ts', text });

test('every test file is in exactly one of the two projects', () => {
  const { fast, servers } = testFiles();
  const all = loadFiles('test/**/*.test.ts').map(({ path }) => path);
  expect([...fast, ...servers].toSorted()).toEqual(all.toSorted());
  expect(fast.length).toBeGreaterThan(40);
});

test.each([
  ["import { spawn } from 'node:child_process';", 'servers'],
  ["import { startRedis } from '#test/redis.ts';", 'servers'],
  ["import { startBot } from '../helpers/bot.ts';", 'servers'],
  ["const { openPage } = await import('../demo/phone/browser.ts');", 'servers'],
  ["import { openPushDatabase } from '#test/push-database.ts';", 'servers'],
  ["import { phoneWith } from '#test/phone.ts';", 'fast'],
  ["import { action } from '#menu';", 'fast'],
])('a test with %s is in %s', (text, project) => {
  expect(projectOf(asTest(text))).toBe(project);
});

test('a test of the fast project that finds another way to a process is stopped with a sentence', () => {
  const guard = join(root, 'test/helpers/no-processes.ts');
  const code = `await import(${JSON.stringify(guard)});
    const { spawnSync } = await import('node:child_process');
    spawnSync('redis-server');`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('a test of the fast project starts a process: redis-server');
});
