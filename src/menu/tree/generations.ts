import { ConfigError } from '../../errors.ts';
import type { Operations } from './build.ts';
import { loadTree } from './load.ts';
import type { Tree } from './tree.ts';

export interface MenusParts {
  readonly directory: string;
  readonly operations: Operations;
  /** The folder is good; `isNew` is false when it says what was loaded already. */
  onLoaded(tree: Tree, isNew: boolean): void;
  onProblems(problems: readonly string[]): void;
}

/** How many earlier generations are kept for the sessions that began with them. */
const KEPT = 4;

/** The generations of the menu that this process holds. */
export type Menus = Awaited<ReturnType<typeof createMenus>>;

/** Loads the menu folder. Throws `ConfigError` when the first generation has a problem. */
export async function createMenus(parts: MenusParts) {
  const first = await loadTree(parts.directory, parts.operations);
  if ('problems' in first) throw new ConfigError(first.problems);
  let held: readonly Tree[] = [first.tree];
  parts.onLoaded(first.tree, true);
  const reload = async (): Promise<void> => {
    const next = await loadTree(parts.directory, parts.operations);
    if ('problems' in next) return parts.onProblems(next.problems);
    const { tree } = next;
    const isNew = held[0]?.generation !== tree.generation;
    held = [tree, ...held.filter(({ generation }) => generation !== tree.generation)].slice(0, KEPT);
    parts.onLoaded(tree, isNew);
  };
  let reloading: Promise<void> = Promise.resolve();
  const stays = (error: unknown): void => parts.onProblems([`${parts.directory}: ${error}`]);
  return {
    /** The generation asked for while it is held, else the newest. */
    at: (generation: string | undefined): Tree =>
      held.find((tree) => tree.generation === generation) ?? (held[0] as Tree),
    /** Reads the folder again; a bad file leaves the old generation serving and is named in the log. */
    reload: (): Promise<void> => {
      reloading = reloading.then(reload).catch(stays);
      return reloading;
    },
  };
}
