import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { declaredSkeletons } from '../../demo/new/declared-skeletons.ts';
import { newEntry } from '../../demo/new/entry.ts';
import { newOperation } from '../../demo/new/operation.ts';
import { operationSkeletons } from '../../demo/new/operation-skeletons.ts';
import { type Written, write } from '../../demo/new/written.ts';
import { createDeclared } from '../../src/ops/declared/index.ts';
import { copyRepository, ROOT, runIn } from './repo-copy.ts';

/** A copy of the repository, in which an author writes. */
let copy: string;
beforeAll(() => {
  copy = copyRepository();
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const kinds = Object.keys(operationSkeletons);

test('there is a skeleton for each kind that is declared', () => {
  const declare = createDeclared({ environment: undefined });
  const declared = Object.keys(declaredSkeletons).sort().join(', ');
  expect(() => declare('kind: none')).toThrow(`kind: is one of ${declared}`);
});

test('what npm run new writes is good as it is: form, types, loader and its own tests', async () => {
  const paths: string[] = [];
  const written = async (making: Promise<Written>): Promise<readonly string[]> => {
    const made = await making;
    write(copy, made);
    paths.push(...made.files.map(({ path }) => path));
    return made.next;
  };
  const entry = (path: string, runs?: string) => written(newEntry(copy, path, runs));
  for (const kind of kinds) {
    const name = `team.${kind}.some-thing`;
    const next = await written(newOperation(copy, name, kind));
    expect(next).toContain(`grant it in deploy/policy.yaml: "- ${name}" among the operations of a role`);
  }
  expect(paths).toContain('operations/team/http/some-thing.yaml');
  await runIn(copy, 'node', ['demo/print-menu.ts', '--types']);
  for (const [index, kind] of kinds.entries())
    await entry(`3-app/${20 + index}-${kind}`, `team.${kind}.some-thing`);
  await entry('30-top', 'app.cache.flush');
  await entry('menus/2-mysql/9-kill-it.ts', 'k8s.scale');
  // The last one as an author does it.
  const printed = await runIn(copy, 'node', ['demo/new/main.ts', 'entry', '1-kubernetes/5-unready']);
  expect(printed).toContain('then 1-1-5; a running demo has it already');
  paths.push(...(printed.split('\n\n')[0] ?? '').split('\n'));
  expect(await runIn(copy, 'node', ['demo/print-menu.ts'])).toContain('<unit>-1-5');

  await runIn(copy, 'biome', ['check', '--vcs-enabled=false', '--error-on-warnings', ...paths]);
  const code = paths.filter((path) => path.endsWith('.ts'));
  const include = ['menus', 'operations', 'test/helpers/global-setup.ts', ...code];
  writeFileSync(join(copy, 'written.json'), JSON.stringify({ extends: './tsconfig.json', include }));
  await runIn(copy, 'tsc', ['-p', 'written.json']);
  const tests = paths.filter((path) => path.startsWith('test/'));
  expect(tests).toHaveLength(2 * kinds.length + 3);
  expect(await runIn(copy, 'vitest', ['run', ...tests])).toContain(`${tests.length} passed`);
}, 240_000);

test.each([
  ['App.Flush', 'write small letters, digits and dashes with dots between'],
  ['../flush', 'write small letters, digits and dashes with dots between'],
  ['app..flush', 'write small letters, digits and dashes with dots between'],
  ['k8s.scale', 'there is an operation k8s.scale already'],
])('an operation cannot be called %s, and its author reads what to do', async (name, said) => {
  await expect(newOperation(ROOT, name, 'change')).rejects.toThrow(said);
});

test('an operation of another kind, or a third thing, is refused with what there is', async () => {
  await expect(newOperation(ROOT, 'app.x', 'bash')).rejects.toThrow('write --kind with one of change, read');
  const [said, tool] = ['npm run new -- entry 1-kubernetes/5-unready', 'demo/new/main.ts'];
  await expect(runIn(ROOT, 'node', [tool, 'door', 'x'])).rejects.toThrow(said);
});

test.each([
  ['1-kubernetes/unready', undefined, 'write number-words'],
  ['../1-x', undefined, 'write number-words'],
  ['1-kubernetes/2-more', undefined, '2 is the number of 2-scale.ts there; '],
  ['7-none/1-x', undefined, 'menus/7-none/ has no index.ts: write it first'],
  ['1-none/8-x', undefined, 'menus/1-none/ has no index.ts: write it first'],
  ['1-kubernetes/8-x', 'app.none', 'npm run new -- operation app.none writes one'],
])('an entry cannot stand at %s, running %s, and its author reads what to do', async (path, runs, said) => {
  await expect(newEntry(ROOT, path, runs)).rejects.toThrow(said);
});

test('npm run new overwrites nothing, and does half of nothing', async () => {
  const test = join(copy, 'test/operations/app-new-thing.test.ts');
  writeFileSync(test, 'mine');
  const made = await newOperation(copy, 'app.new.thing', 'change');
  expect(() => write(copy, made)).toThrow('is there already, and nothing was written');
  expect(readFileSync(test, 'utf8')).toBe('mine');
  expect(existsSync(join(copy, 'operations/app/new/thing.ts'))).toBe(false);
});
