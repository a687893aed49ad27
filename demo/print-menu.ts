import { menuOperations } from '../src/contract/index.ts';
import { loadTree } from '../src/menu/tree/load.ts';
import type { Node } from '../src/menu/tree/tree.ts';

/** Prints the whole menu: what is typed, what it is called, which right it needs. `npm run menu [folder]`. */
async function main(directory = 'menus'): Promise<void> {
  const { root } = await loadTree(directory, menuOperations);
  print(root, []);
}

function print(node: Node, typed: readonly string[]): void {
  const { entry } = node;
  const asks = Object.keys(entry.ask).map((name) => `<${name}>`);
  const path = [...typed, ...asks].join('-');
  console.log([path.padEnd(32), entry.title, entry.needs ?? ''].join('  ').trimEnd());
  for (const child of node.children.values()) print(child, [...typed, ...asks, `${child.number}`]);
}

await main(process.argv[2]).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
