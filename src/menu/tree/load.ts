import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../errors.ts';
import { buildTree, type MenuFile, type Operations } from './build.ts';
import type { Tree } from './tree.ts';

const MENU_API = new URL('../index.ts', import.meta.url).href;
const FILE_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*\.ts$/;
const FOLDER_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*$/;

/** Folders that were loaded; only modules under them are read anew for each generation. */
const loaded = new Set<string>();

/**
 * Reads every file of a menu folder as one new generation: changed files are read again, and so is whatever they import
 * inside the folder, so that an entry and its `within` are always of the same generation. Throws a ConfigError of every
 * problem, each naming a file and the remedy. The generation is named by the hash of the files: equal on every replica.
 */
export async function loadTree(directory: string, operations: Operations): Promise<Tree> {
  const base = resolve(directory);
  const problems: string[] = [];
  const found = await readdir(base, { recursive: true, withFileTypes: true }).catch(() => {
    throw new ConfigError([`${base}: cannot be read; set MENUS_DIR to the folder of the menus`]);
  });
  const hash = createHash('sha256');
  const paths: string[] = [];
  const items = found.map((item) => ({ item, path: relative(base, join(item.parentPath, item.name)) }));
  for (const { item, path } of items.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { name } = item;
    // Also what stands in a hidden folder: .git, or the ..data of a mounted volume.
    if (path.split('/').some((part) => part.startsWith('.')) || name.endsWith('.md')) continue;
    if (item.isDirectory()) {
      if (!FOLDER_NAME.test(name)) problems.push(`${path}/: name it number-words, such as 1-kubernetes`);
      continue;
    }
    const text = await readFile(join(base, path)).catch(() => undefined);
    if (text === undefined) {
      problems.push(`${path}: cannot be read; it may have been removed just now`);
      continue;
    }
    hash.update(path).update('\0').update(text).update('\0');
    if (name.startsWith('_')) continue;
    if (name === 'index.ts' || FILE_NAME.test(name)) paths.push(path);
    else
      problems.push(
        `${path}: name it number-words.ts, such as 2-scale.ts, or start it with _ if it is no entry`,
      );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const generation = hash.digest('hex').slice(0, 12);
  loaded.add(`${pathToFileURL(base).href}/`);
  const files: MenuFile[] = [];
  for (const path of paths) {
    try {
      const url = `${pathToFileURL(join(base, path)).href}?generation=${generation}`;
      files.push({ path, entry: ((await import(url)) as { default?: unknown }).default });
    } catch (error) {
      problems.push(`${path}: cannot be loaded: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return buildTree(files, generation, operations);
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const folder = [...loaded].find((url) => context.parentURL?.startsWith(url));
    if (folder === undefined) return nextResolve(specifier, context);
    // A menu folder may stand anywhere, also where no package.json maps the name.
    if (specifier === '#menu') return { url: MENU_API, shortCircuit: true };
    const found = nextResolve(specifier, context);
    const generation = new URL(context.parentURL as string).searchParams.get('generation');
    if (generation === null || !found.url.startsWith(folder)) return found;
    return { ...found, url: `${found.url.split('?')[0]}?generation=${generation}` };
  },
});
