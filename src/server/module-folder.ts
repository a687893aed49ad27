import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join, posix, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../errors.ts';

/** What may stand in a folder of modules, and what they may import. Paths are inside the folder, with `/`. */
export interface ModuleRules {
  /** The setting that names the folder, and what it holds, such as `the menus`. */
  readonly setting: string;
  readonly holds: string;
  /** What is wrong with the name of a file, or of a folder, whose path ends in `/`; undefined when nothing is. */
  problemOf(path: string): string | undefined;
  /** What is wrong with the text of a file that can be told before it is loaded; undefined when nothing is. */
  problemIn?(text: string): string | undefined;
  /** Whether the file is loaded for itself. Any other is only read, and loaded where one imports it. */
  isModule(path: string): boolean;
  /** The modules from outside of the folder that may be imported, by name, and the URL of the file behind each. */
  readonly names: Readonly<Record<string, string>>;
  /** Whether the modules may import this file of their folder. */
  isShared(path: string): boolean;
  /** What may be imported, for whoever has tried something else. */
  readonly remedy: string;
}

/** What stood in a folder at one moment. `generation` is a hash of it: equal for equal files, on every replica. */
export interface Sources {
  readonly generation: string;
  /** Texts by path; hidden files, what editors keep beside a file, and `.md` are left out. */
  readonly files: ReadonlyMap<string, string>;
}

/** Hidden, or what an editor keeps beside a file that somebody works on, with `~` behind it or between two `#`. */
const UNSEEN = /^\.|~$|^#.*#$/;
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads every file of a folder. Throws a ConfigError of every problem, each naming a file and the remedy. */
export async function readSources(folder: string, rules: ModuleRules): Promise<Sources> {
  const base = resolve(folder);
  const found = await readdir(base, { recursive: true, withFileTypes: true }).catch(() => {
    throw new ConfigError([`${base}: cannot be read; set ${rules.setting} to the folder of ${rules.holds}`]);
  });
  const paths = found.map((item) => {
    const path = relative(base, join(item.parentPath, item.name));
    return item.isDirectory() ? `${path}/` : path;
  });
  const problems: string[] = [];
  const files = new Map<string, string>();
  const hash = createHash('sha256');
  for (const path of paths.sort()) {
    // Also what stands in a hidden folder: .git, or the ..data of a mounted volume.
    if (path.split('/').some((part) => UNSEEN.test(part)) || path.endsWith('.md')) continue;
    const problem = rules.problemOf(path);
    if (problem !== undefined) problems.push(`${path}: ${problem}`);
    if (problem !== undefined || path.endsWith('/')) continue;
    const text = await readIfFile(join(base, path)).catch(() => undefined);
    if (text === undefined) {
      problems.push(
        `${path}: cannot be read; it may have been removed just now, be no file, or be over 1 MiB`,
      );
      continue;
    }
    const wrong = rules.problemIn?.(text);
    if (wrong !== undefined) problems.push(`${path}: ${wrong}`);
    hash.update(path).update('\0').update(text).update('\0');
    files.set(path, text);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { generation: hash.digest('hex').slice(0, 12), files };
}

/** The text of a file; undefined for what is none, such as a pipe that nobody writes to. */
async function readIfFile(path: string): Promise<string | undefined> {
  const found = await stat(path);
  return found.isFile() && found.size <= MAX_FILE_BYTES ? readFile(path, 'utf8') : undefined;
}

/** What an import of a module leads to. Throws a ConfigError when it is not allowed, or not there. */
export function findImport(
  from: string,
  specifier: string,
  { files }: Sources,
  { names, isShared, remedy }: ModuleRules,
): { readonly path: string } | { readonly url: string } {
  if (Object.hasOwn(names, specifier)) return { url: names[specifier] as string };
  const path = posix.join(posix.dirname(from), specifier);
  if (!/^\.\.?\//.test(specifier) || path.startsWith('../') || !isShared(path)) {
    throw new ConfigError([`${from}: imports "${specifier}"; ${remedy}`]);
  }
  if (!files.has(path)) throw new ConfigError([`${from}: imports "${specifier}", which is not there`]);
  return { path };
}

/** A module that was loaded, with all that it exports. */
export interface LoadedModule {
  readonly path: string;
  readonly exported: Readonly<Record<string, unknown>>;
}

/** What a module awaits while it is loaded, if anything, is there at once; more than that would keep all later generations away. */
const LOAD_MS = 10_000;

/** One file that may be loaded, by its URL, which has the generation in it. */
interface Known {
  readonly path: string;
  readonly sources: Sources;
  readonly rules: ModuleRules;
  urlOf(path: string): string;
}
const known = new Map<string, Known>();

/**
 * Loads every module of a folder as one generation: just what was read, and with it what the modules import inside their
 * folder. Throws a ConfigError of every problem, also of an import that is not allowed. A module that awaits something
 * takes at most `loadMs`.
 */
export async function loadModules(
  folder: string,
  sources: Sources,
  rules: ModuleRules,
  loadMs: number = LOAD_MS,
): Promise<readonly LoadedModule[]> {
  const base = resolve(folder);
  const urlOf = (path: string) => `${pathToFileURL(join(base, path)).href}?generation=${sources.generation}`;
  for (const path of sources.files.keys()) known.set(urlOf(path), { path, sources, rules, urlOf });
  const problems = new Set<string>();
  const modules: LoadedModule[] = [];
  for (const path of [...sources.files.keys()].filter(rules.isModule)) {
    try {
      modules.push({ path, exported: await within(loadMs, import(urlOf(path))) });
    } catch (error) {
      for (const problem of problemsOf(error, path)) problems.add(problem);
    }
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  return modules;
}

function problemsOf(error: unknown, path: string): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  return [`${path}: cannot be loaded: ${error instanceof Error ? error.message : error}`];
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
    if (known.has(specifier)) return { url: specifier, shortCircuit: true };
    const from = known.get(context.parentURL ?? '');
    if (from === undefined) return nextResolve(specifier, context);
    const found = findImport(from.path, specifier, from.sources, from.rules);
    return { url: 'url' in found ? found.url : from.urlOf(found.path), shortCircuit: true };
  },
  load(url, context, nextLoad) {
    const file = known.get(url);
    if (file === undefined) return nextLoad(url, context);
    // As a module, whatever package.json stands near: CommonJS would bring `require` with it.
    const source = file.sources.files.get(file.path) as string;
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});
