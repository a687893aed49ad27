import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../errors.ts';
import { buildTree, type MenuFile, type Operations } from './build.ts';
import type { Tree } from './tree.ts';

const MENU_API = new URL('../index.ts', import.meta.url).href;
const FILE_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*\.ts$/;
const FOLDER_NAME = /^[1-9][0-9]{0,3}-[a-z0-9][a-z0-9-]*$/;

/** What an entry awaits while it is loaded, if anything, is there at once; more than that would keep all later generations away. */
const LOAD_MS = 10_000;

/** Folders that were loaded; only modules under them are read anew for each generation. */
const loaded = new Set<string>();

/**
 * Reads every file of a menu folder as one new generation: changed files are read again, and so is whatever they import
 * inside the folder, so that an entry and its `within` are always of the same generation. Throws a ConfigError of every
 * problem, each naming a file and the remedy. The generation is named by the hash of the files: equal on every replica.
 * A file that awaits something takes at most `loadMs`.
 */
export async function loadTree(
  directory: string,
  operations: Operations,
  loadMs: number = LOAD_MS,
): Promise<Tree> {
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
    const text = await readIfFile(join(base, path)).catch(() => undefined);
    if (text === undefined) {
      problems.push(`${path}: cannot be read; it may have been removed just now, or is no file`);
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
      const module = (await within(loadMs, import(url))) as { default?: unknown };
      files.push({ path, entry: module.default });
    } catch (error) {
      problems.push(`${path}: cannot be loaded: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return buildTree(files, generation, operations);
}

/** The bytes of a file; undefined for what is none, such as a pipe that nobody writes to. */
async function readIfFile(path: string): Promise<Buffer | undefined> {
  return (await stat(path)).isFile() ? readFile(path) : undefined;
}

/** Rejects when the work takes longer than so many ms. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const end = new AbortController();
  const late = sleep(ms, undefined, { signal: end.signal }).then(() => {
    throw new Error(`it awaits something for over ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    end.abort();
    late.catch(() => {});
  }
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
