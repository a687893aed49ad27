import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { CatalogueEntry } from '../../src/contract/catalogue.ts';
import { ConfigError } from '../../src/errors.ts';
import { deriveQuestions } from '../../src/menu/tree/derive.ts';
import { loadTree } from '../../src/menu/tree/load.ts';
import type { Node } from '../../src/menu/tree/tree.ts';
import { loadCatalogue } from '../catalogue.ts';
import type { Written } from './written.ts';

const FILE = /^(?:[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*\/)*([1-9][0-9]{0,3})-([a-z0-9][a-z0-9-]*)$/;

/**
 * The files of a new entry of the repository at `root`, at a path such as `1-kubernetes/5-unready`, which runs an operation or is to be written. Throws a
 * ConfigError where it cannot stand, or the operation cannot be asked for by numbers.
 */
export async function newEntry(root: string, given: string, runs: string | undefined): Promise<Written> {
  const path = given.replace(/^menus\//, '').replace(/\.ts$/, '');
  const [, number = '', words = ''] = FILE.exec(path) ?? [];
  if (words === '') {
    throw new ConfigError([
      `"${given}" is no place for an entry: write number-words, inside the folders that are there, such as 1-kubernetes/5-unready`,
    ]);
  }
  const catalogue = await loadCatalogue(join(root, 'operations'));
  const menus = join(root, 'menus');
  const tree = await loadTree(menus, catalogue);
  const folder = folderAt(tree.root, posix.dirname(path));
  checkNumber(join(menus, posix.dirname(path)), Number(number));
  const above = [folder, ...ancestorsOf(folder)].reverse();
  const asked = new Set(above.flatMap(({ entry }) => Object.keys(entry.ask)));
  const operation = runs === undefined ? undefined : found(runs, catalogue.find(runs), asked, catalogue);
  const file = `menus/${path}.ts`;
  const test = `test/menus/${words}.test.ts`;
  const typed = [...above.map((node) => node.number), Number(number)].slice(1);
  return {
    files: [
      { path: file, text: entryText(path, operation) },
      { path: test, text: testText(words, typed.map(String), operation, catalogue) },
    ],
    next: [
      'npm run menu   # where it stands',
      `npm run vitest -- ${test}   # its test, which is good now: change both together`,
      `type it: npm run chat, then 1-${typed.join('-')}; a running demo has it already`,
      'test/e2e/policy.test.ts   # its table says who may use each entry: add the row, and let somebody else look at it',
    ],
  };
}

function folderAt(root: Node, path: string): Node {
  const parts = path === '.' ? [] : path.split('/');
  let node: Node | undefined = root;
  for (const part of parts) {
    const next: Node | undefined = node?.children.get(Number.parseInt(part, 10));
    node = next?.file.endsWith(`${part}/index.ts`) ? next : undefined;
  }
  if (node !== undefined) return node;
  throw new ConfigError([
    `menus/${path}/ has no index.ts: write it first, a folder() with its title, as menus/3-app/index.ts is`,
  ]);
}

function ancestorsOf({ parent }: Node): readonly Node[] {
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)];
}

/** By the files, since an entry may stand there that is not shown yet. */
function checkNumber(folder: string, number: number): void {
  const names = readdirSync(folder);
  const numbers = names.map((name) => Number.parseInt(name, 10));
  const twin = names[numbers.indexOf(number)];
  if (twin === undefined) return;
  const free = Math.max(0, ...numbers.filter(Number.isFinite)) + 1;
  throw new ConfigError([`${number} is the number of ${twin} there; ${free} is free`]);
}

/** The operation, where whoever runs it can be asked for its input. */
function found(
  runs: string,
  operation: CatalogueEntry | undefined,
  asked: ReadonlySet<string>,
  { find }: { find(name: string): CatalogueEntry | undefined },
): CatalogueEntry {
  if (operation === undefined) {
    throw new ConfigError([`there is no operation ${runs}: npm run new -- operation ${runs} writes one`]);
  }
  const derived = deriveQuestions(operation, asked, find);
  if (typeof derived === 'string') {
    throw new ConfigError([
      `${runs} cannot be asked for without code: ${derived}, as menus/1-kubernetes/2-scale.ts has`,
    ]);
  }
  return operation;
}

function entryText(path: string, operation: CatalogueEntry | undefined): string {
  const depth = path.split('/').length - 1;
  const root = `import root from '${depth === 0 ? './' : '../'.repeat(depth)}index.ts';`;
  if (operation !== undefined) {
    const kind = operation.kind === 'change' ? 'operation' : 'action';
    return `import { ${kind} } from '#menu';\n${root}\n\nexport default ${kind}(root, { runs: '${operation.name}' });\n`;
  }
  return `import { action } from '#menu';
${root}

export default action(root, {
  title: '新菜单项',
  run: async (_context, { unit }) => \`\${unit}：这里是要显示的内容\`,
});
`;
}

function testText(
  words: string,
  typed: readonly string[],
  operation: CatalogueEntry | undefined,
  { find }: { find(name: string): CatalogueEntry | undefined },
): string {
  const fakes = ["'units.list': () => ['电商']"];
  if (operation?.kind === 'change')
    fakes.push(`'${operation.name}': { lines: () => ['之前 → 之后'], run: () => '已执行' }`);
  if (operation?.kind === 'read') fakes.push(`'${operation.name}': () => ${answerOf(operation)}`);
  for (const name of optionsOf(operation)) {
    if (name !== operation?.name) fakes.push(`'${name}': () => ${answerOf(find(name))}`);
  }
  const says = ["'电商'", ...typed.map((number) => `'${number}'`)].join(', ');
  return `import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';

test('${words} is reached by its numbers', async () => {
  const ops = fakeOps({
    ${fakes.join(',\n    ')},
  });
  const phone = await phoneWith('menus', { ops });
  expect(await phone.say(${says})).toContain('${operation?.title ?? '新菜单项'}');
});
`;
}

/** Reads that answer the choices of an input. */
function optionsOf(operation: CatalogueEntry | undefined): readonly string[] {
  const { properties = {} } = (operation?.input ?? {}) as {
    readonly properties?: Readonly<Record<string, { readonly options?: string }>>;
  };
  return [...new Set(Object.values(properties).flatMap(({ options }) => options ?? []))];
}

/** One row, as a list of texts or of rows has it. */
function answerOf(read: CatalogueEntry | undefined): string {
  const { items } = (read?.output ?? {}) as { readonly items?: { readonly type?: string } };
  return items?.type === 'string' ? "['one']" : "[{ key: 'one', label: 'one' }]";
}
