import { buildTree } from '../../src/menu/tree/build.ts';
import type { Entry } from '../../src/menu/tree/entry.ts';
import type { Tree } from '../../src/menu/tree/tree.ts';

/** Builds a tree from files given in the test; a problem in them fails it. Nothing is known of the platform. */
export function treeOf(files: Readonly<Record<string, Entry>>, generation = 'generation-1'): Tree {
  const list = Object.entries(files).map(([path, entry]) => ({ path, entry }));
  return buildTree(list, generation, undefined);
}
