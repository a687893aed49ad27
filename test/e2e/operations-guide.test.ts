import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Runs a tool of the project in the copy; when it fails, what it printed is in the error. */
async function run(tool: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1' };
  const running = promisify(execFile)(tool, [...args], { cwd: copy, env });
  const { stdout } = await running.catch((error: Error & { readonly stdout: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

/** A copy of the repository, in which everything is done that the page says. */
let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'keypad-adding-'));
  for (const part of [
    'src',
    'demo',
    'menus',
    'operations',
    'test',
    'deploy',
    'package.json',
    'tsconfig.json',
    'biome.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const { path, where, code } of stepsOf(page)) write(join(copy, path), where, code);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

interface Step {
  readonly path: string;
  /** `new`, `at the top`, or the name of the object that the code belongs into. */
  readonly where: string;
  readonly code: string;
}

/** Each block of code that follows "`path`, where:". */
function stepsOf(text: string): readonly Step[] {
  const found = text.matchAll(
    /`([\w./-]+\.(?:ts|yaml))`, (new|at the top|in `\w+`):\n\n```(?:ts|yaml)\n([\s\S]*?)```/g,
  );
  return [...found].map(([, path = '', where = '', code = '']) => ({ path, where, code }));
}

function write(file: string, where: string, code: string): void {
  if (where === 'new') writeFileSync(file, code, { flag: 'wx' });
  else writeFileSync(file, put(readFileSync(file, 'utf8'), where, code));
}

function put(text: string, where: string, code: string): string {
  if (where === 'at the top') return code + text;
  const name = where.replaceAll(/in |`/g, '');
  const head = new RegExp(`^export const ${name}\\b.*\\{\\n`, 'm');
  expect(text).toMatch(head);
  return text.replace(head, (line) => line + code);
}

test('docs/operations.md: done as it says, form, types and its tests are good', async () => {
  const steps = stepsOf(page);
  expect(steps).toHaveLength(6);
  await run('node', ['demo/print-menu.ts', '--types']);
  const isCode = ({ path, where }: Step) => where === 'new' && path.endsWith('.ts');
  const created = steps.filter(isCode).map(({ path }) => path);
  await run('biome', ['check', '--vcs-enabled=false', ...created]);
  const tests = created.filter((path) => path.startsWith('test/'));
  // Of the types, only what the page touches and what declares types for it: the rest is checked anyway.
  const touched = ['menus', 'operations', 'test/helpers/global-setup.ts', ...created];
  writeFileSync(join(copy, 'touched.json'), JSON.stringify({ extends: './tsconfig.json', include: touched }));
  const [, printed] = await Promise.all([
    run('tsc', ['-p', 'touched.json']),
    run('vitest', ['run', ...tests]),
  ]);
  expect(printed).toMatch(/Tests +2 passed/);
}, 120_000);
