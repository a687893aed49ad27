import { ConfigError } from '../../errors.ts';
import { buildTree, type MenuFiles } from './build.ts';
import type { Operations } from './complete.ts';
import type { Tree } from './tree.ts';

export interface MenusParts {
  readonly directory: string;
  /** What the platform has now. */
  operations(): Operations;
  /** Reads the files that stand in the folder now. Throws a ConfigError of their problems. */
  loadFiles(directory: string): Promise<MenuFiles>;
  /**
   * A tree serves from now on; `isNew` is false when it says what was loaded already. `isRefused`: what stands in the folder
   * by now is not good all the same, and the tree is made of what was there before.
   */
  onLoaded(tree: Tree, isNew: boolean, isRefused: boolean): void;
  onProblems(problems: readonly string[]): void;
}

/** How many earlier generations are kept for the sessions that began with them. */
const KEPT = 4;

/** The generations of the menu that this process holds. */
export type Menus = Awaited<ReturnType<typeof createMenus>>;

/** Loads the menu folder. Throws a ConfigError when the first generation has a problem. */
export async function createMenus(parts: MenusParts) {
  const { directory, loadFiles, operations, onLoaded, onProblems } = parts;
  let held: readonly Tree[] = [];
  let loaded = await loadFiles(directory);
  let isRefused = false;
  const build = (): void => {
    const tree = buildTree(loaded.files, loaded.generation, operations());
    const others = held.filter(({ generation }) => generation !== tree.generation);
    const isNew = held[0]?.generation !== tree.generation;
    held = [tree, ...others].slice(0, KEPT);
    onLoaded(tree, isNew, isRefused);
  };
  const load = async (): Promise<void> => {
    const before = loaded;
    try {
      loaded = await loadFiles(directory);
      isRefused = false;
      build();
    } catch (error) {
      loaded = before;
      isRefused = true;
      throw error;
    }
  };
  const stays = (error: unknown): void =>
    onProblems(error instanceof ConfigError ? error.problems : [`${directory}: ${error}`]);
  build();
  let loading: Promise<void> = Promise.resolve();
  const next = (work: () => Promise<void> | void): Promise<void> => {
    // Whatever became of the one before: no reload keeps a later one from being made.
    loading = loading
      .catch(() => {})
      .then(work)
      .catch(stays);
    return loading;
  };
  return {
    /** The generation asked for while it is held, else the newest. */
    at: (generation: string | undefined): Tree =>
      held.find((tree) => tree.generation === generation) ?? (held[0] as Tree),
    /** Reads the folder again; a bad file leaves the old generation serving and is named in the log. */
    reload: (): Promise<void> => next(load),
    /** The platform has other operations now: the same files are put together with these. */
    rebuild: (): Promise<void> => next(build),
  };
}
