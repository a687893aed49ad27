import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTree } from '../src/menu/tree/load.ts';
import type { Node } from '../src/menu/tree/tree.ts';
import { loadCatalogue } from './catalogue.ts';
import { menuTypes } from './menu-types.ts';

/**
 * `npm run menu [-- folder]` prints the whole menu: what is typed, what it is called, which right it needs; and where it
 * names operations that the folder `--operations` does not have. With `--types` it writes the types of these operations
 * into the folder instead.
 */
async function main(): Promise<void> {
  const options = {
    types: { type: 'boolean' },
    operations: { type: 'string', default: 'operations' },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const directory = positionals[0] ?? 'menus';
  const catalogue = await loadCatalogue(values.operations);
  if (values.types) {
    const file = join(directory, '_catalogue.ts');
    writeFileSync(file, menuTypes(catalogue.entries));
    spawnSync('biome', ['format', '--write', file]);
    console.log(`${file} has the types of ${catalogue.entries.length} operations`);
    return;
  }
  const { root, differences } = await loadTree(directory, catalogue);
  print(root, []);
  for (const difference of differences) console.error(difference);
  if (differences.length > 0) process.exitCode = 1;
}

function print(node: Node, typed: readonly string[]): void {
  const { entry } = node;
  const asks = Object.keys(entry.ask).map((name) => `<${name}>`);
  const path = [...typed, ...asks].join('-');
  console.log([path.padEnd(32), entry.title, entry.needs ?? ''].join('  ').trimEnd());
  for (const child of node.children.values()) print(child, [...typed, ...asks, `${child.number}`]);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
