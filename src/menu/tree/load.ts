import { loadModules, type ModuleRules, readSources } from '../../server/module-folder.ts';
import { buildTree, type MenuFile, type MenuFiles } from './build.ts';
import type { Operations } from './complete.ts';
import type { Tree } from './tree.ts';

const FILE_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*\.ts$/;
const FOLDER_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*$/;

/** An import that is none at the top of a file, also where only a string or a comment has it, or may hide it. */
const LATE_IMPORT = /(?<![\w$])import\s*(?:[(.]|\/[*/])/;

/** What may stand in a folder of menus, and what its files may import. */
export const menuRules: ModuleRules = {
  setting: 'MENUS_DIR',
  holds: 'the menus',
  problemOf(path) {
    const name = nameOf(path);
    if (path.endsWith('/')) {
      return FOLDER_NAME.test(name) ? undefined : 'name it number-words, such as 1-kubernetes';
    }
    if (name.startsWith('_') || menuRules.isModule(path)) return undefined;
    return 'name it number-words.ts, such as 2-scale.ts, or start it with _ if it is no entry';
  },
  problemIn: (text) =>
    LATE_IMPORT.test(text)
      ? 'has import(…), import.meta, or a comment behind import; a menu file only imports at its top'
      : undefined,
  isModule: (path) => nameOf(path) === 'index.ts' || FILE_NAME.test(nameOf(path)),
  names: { '#menu': new URL('../index.ts', import.meta.url).href },
  isShared: (path) => /^(_.+|index)\.ts$/.test(nameOf(path)),
  remedy: 'a menu file imports only #menu, an index.ts, and files of its folder that begin with _',
};

/**
 * Loads a menu folder as one new generation, in this process: what it imports inside the folder is read again with it, so
 * that an entry and its `within` are always of the same generation. Throws a ConfigError of every problem, each naming a file
 * and the remedy.
 */
export async function loadFiles(directory: string, loadMs?: number): Promise<MenuFiles> {
  const sources = await readSources(directory, menuRules);
  const modules = await loadModules(directory, sources, menuRules, loadMs);
  const files = modules.map(({ path, exported }): MenuFile => ({ path, entry: exported.default }));
  return { files, generation: sources.generation };
}

/** The same as a tree, over the operations that the platform has. */
export async function loadTree(directory: string, operations: Operations): Promise<Tree> {
  const { files, generation } = await loadFiles(directory);
  return buildTree(files, generation, operations);
}

/** The last part of a path, also where it ends in `/`. */
function nameOf(path: string): string {
  return /([^/]*)\/?$/.exec(path)?.[1] ?? '';
}
