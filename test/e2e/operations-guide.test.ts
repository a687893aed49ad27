import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyRepository, ROOT, runIn } from './repo-copy.ts';

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

/** A copy of the repository, in which everything is done that the page says. */
let copy: string;
beforeAll(() => {
  copy = copyRepository();
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
  mkdirSync(dirname(file), { recursive: true });
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

/** The commands of the page, each without what is said of it. */
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, lines = '']) => lines.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));

test('docs/operations.md: each command of it does what it says', async () => {
  const printed = new Map<string, string>();
  for (const command of commands) {
    const [npm = '', run = '', script = '', ...args] = command.split(' ');
    expect([npm, run]).toEqual(['npm', 'run']);
    // Form and types of all are checked below, as far as the page touches them.
    if (script !== 'check') printed.set(command, await runIn(copy, 'npm', ['run', script, ...args]));
  }
  expect(printed.size).toBe(7);
  expect(printed.get('npm run menu')).toMatch(/^<unit>-1-8-.*team\.mark$/m);
  expect(printed.get('npm run policy')).toContain('team.mark');
}, 120_000);

test('docs/operations.md: done as it says, form, types and its tests are good', async () => {
  const steps = stepsOf(page);
  expect(steps).toHaveLength(7);
  await runIn(copy, 'node', ['demo/print-menu.ts', '--types']);
  const isCode = ({ path, where }: Step) => where === 'new' && path.endsWith('.ts');
  const created = steps.filter(isCode).map(({ path }) => path);
  await runIn(copy, 'biome', ['check', '--vcs-enabled=false', ...created]);
  const tests = created.filter((path) => path.startsWith('test/'));
  // Of the types, only what the page touches and what declares types for it: the rest is checked anyway.
  const touched = ['menus', 'operations', 'test/helpers/global-setup.ts', ...created];
  writeFileSync(join(copy, 'touched.json'), JSON.stringify({ extends: './tsconfig.json', include: touched }));
  const [, printed] = await Promise.all([
    runIn(copy, 'tsc', ['-p', 'touched.json']),
    runIn(copy, 'vitest', ['run', ...tests]),
  ]);
  expect(printed).toMatch(/Tests +4 passed/);
}, 120_000);
