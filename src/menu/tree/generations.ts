import { ConfigError } from '../../errors.ts';
import { buildTree, type MenuFiles, type Operations } from './build.ts';
import type { Tree } from './tree.ts';

export interface MenusParts {
  readonly directory: string;
  readonly operations: Operations;
  /** Reads the files that stand in the folder now. Throws a ConfigError of their problems. */
  loadFiles(directory: string): Promise<MenuFiles>;
  /** The folder is good; `isNew` is false when it says what was loaded already. */
  onLoaded(tree: Tree, isNew: boolean): void;
  onProblems(problems: readonly string[]): void;
}

/** How many earlier generations are kept for the sessions that began with them. */
const KEPT = 4;

/** The generations of the menu that this process holds. */
export type Menus = Awaited<ReturnType<typeof createMenus>>;

/** Loads the menu folder. Throws a ConfigError when the first generation has a problem. */
export async function createMenus({ directory, operations, loadFiles, onLoaded, onProblems }: MenusParts) {
  let held: readonly Tree[] = [];
  const load = async (): Promise<void> => {
    const { files, generation } = await loadFiles(directory);
    const tree = buildTree(files, generation, operations);
    const others = held.filter(({ generation }) => generation !== tree.generation);
    const isNew = held[0]?.generation !== tree.generation;
    held = [tree, ...others].slice(0, KEPT);
    onLoaded(tree, isNew);
  };
  const stays = (error: unknown): void =>
    onProblems(error instanceof ConfigError ? error.problems : [`${directory}: ${error}`]);
  await load();
  let loading: Promise<void> = Promise.resolve();
  return {
    /** The generation asked for while it is held, else the newest. */
    at: (generation: string | undefined): Tree =>
      held.find((tree) => tree.generation === generation) ?? (held[0] as Tree),
    /** Reads the folder again; a bad file leaves the old generation serving and is named in the log. */
    reload: (): Promise<void> => {
      // Whatever became of the one before: no reload keeps a later one from being made.
      loading = loading
        .catch(() => {})
        .then(load)
        .catch(stays);
      return loading;
    },
  };
}
