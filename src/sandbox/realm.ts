import { setImmediate as nextRound } from 'node:timers/promises';
import vm from 'node:vm';
import { ConfigError } from '../errors.ts';
import { menuRules } from '../menu/tree/load.ts';
import { findImport, type Sources } from '../server/module-folder.ts';
import type { Code } from './own-code.ts';

type Inside = typeof import('./inside.ts');

interface RealmParts {
  /** The files of the menus without their types, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly generation: string;
  /** What stands beside them in the realm, and the URL of the file that is begun with, ./inside.ts. */
  readonly own: Code;
  readonly inside: string;
  /** Hears one line of JSON from inside. */
  send(line: string): void;
  /** A file is loaded from now on. */
  onLoading(path: string): void;
}

/** Menus that are loaded. */
interface Realm {
  /** What the files export, functions and other entries named and not written out: a JSON text each. */
  readonly entries: readonly string[];
  /** Takes one line of JSON. */
  take(line: string): void;
}

/**
 * Loads menu files into a realm of their own: a global object with the language and nothing of Node, where no text becomes
 * code, and from which no object of this one can be reached. Throws a ConfigError of every problem, each with its file.
 */
export async function openRealm({ own, send, onLoading, ...parts }: RealmParts): Promise<Realm> {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
    codeGeneration: { strings: false, wasm: false },
  });
  const modules = createModules(context, parts, new Map(own));
  const first = modules.get(parts.inside);
  first.instantiate();
  await first.evaluate();
  const inside = first.namespace as unknown as Inside;
  // Without a prototype, so that it leads to no other function of this realm.
  inside.begin(Object.freeze(Object.setPrototypeOf((line: string) => send(line), null)));

  const problems = new Set<string>();
  const paths = [...parts.files.keys()].filter(menuRules.isModule);
  for (const path of paths) {
    onLoading(path);
    const problem = await load(modules.get, path, inside).catch((error: unknown) => problemsOf(error, path));
    for (const each of problem) problems.add(each);
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  return { entries: paths.map((path) => describe(inside, path)), take: inside.take };
}

function describe(inside: Inside, path: string): string {
  try {
    return inside.describe(path);
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read: ${inside.wordsOf(error, 'message')}`]);
  }
}

async function load(
  get: (id: string) => vm.SourceTextModule,
  path: string,
  inside: Inside,
): Promise<readonly string[]> {
  const module = get(path);
  if (module.status !== 'evaluated') module.instantiate();
  let thrown: readonly [unknown] | undefined;
  let isThere = false;
  module.evaluate().then(
    () => {
      isThere = true;
    },
    (error: unknown) => {
      thrown = [error];
    },
  );
  // There is nothing in the realm to wait for: what is not there after its microtasks never will be.
  await nextRound();
  if (thrown !== undefined) return [`${path}: cannot be loaded: ${inside.wordsOf(thrown[0], 'message')}`];
  if (!isThere) return [`${path}: cannot be loaded: it awaits something that never comes`];
  inside.add(path, (module.namespace as { default?: unknown }).default);
  return [];
}

function problemsOf(error: unknown, path: string): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  return [
    `${path}: cannot be loaded: ${error instanceof Error ? error.message : 'what was thrown is no error'}`,
  ];
}

/** Makes the modules of a realm: files of the menus by their path, and those behind `#menu` by their URL. */
function createModules(context: vm.Context, sources: Sources, own: ReadonlyMap<string, string>) {
  const modules = new Map<string, vm.SourceTextModule>();
  const find = (from: string, specifier: string): string => {
    if (!sources.files.has(from)) return new URL(specifier, from).href;
    const found = findImport(from, specifier, sources, menuRules);
    return 'url' in found ? found.url : found.path;
  };
  const get = (id: string): vm.SourceTextModule => {
    const made = modules.get(id);
    if (made !== undefined) return made;
    const text = sources.files.get(id) ?? (own.get(id) as string);
    // No file that comes here has an import() (menuRules): its promise would be an object of this realm.
    const module = new vm.SourceTextModule(text, { context, identifier: id });
    modules.set(id, module);
    try {
      module.linkRequests(module.moduleRequests.map(({ specifier }) => get(find(id, specifier))));
    } catch (error) {
      modules.delete(id);
      throw error;
    }
    return module;
  };
  return { get };
}
