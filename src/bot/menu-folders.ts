import { resolve } from 'node:path';
import { createMenus } from '../chat/index.ts';
import { menuOperations } from '../contract/index.ts';
import type { Log } from '../server/log.ts';
import type { ReloadResult } from '../server/metrics.ts';
import { watchFolder } from '../server/watched-folder.ts';

interface MenuFoldersParts {
  readonly log: Log;
  /** Hears `refused` while any folder serves what was read before. */
  onReload(result: ReloadResult): void;
  onProblems(problems: readonly string[]): void;
}

/** Makes what holds the menus of all accounts: those of one folder are loaded once, whichever accounts have it. */
export function createMenuFolders({ log, onReload, onProblems }: MenuFoldersParts) {
  const refused = new Set<string>();
  const report = (folder: string, isRefused: boolean): void => {
    if (isRefused) refused.add(folder);
    else refused.delete(folder);
    onReload(refused.size > 0 ? 'refused' : 'accepted');
  };
  const load = async (folder: string) => {
    const menus = await createMenus({
      directory: folder,
      operations: menuOperations,
      onLoaded({ generation }, isNew) {
        report(folder, false);
        if (isNew) log.info({ generation, folder }, 'menus loaded');
      },
      onProblems(problems) {
        report(folder, true);
        log.error({ problems, folder }, 'menus not reloaded, the old ones go on serving');
        onProblems(problems);
      },
    });
    const stopWatching = watchFolder({
      folder,
      isRecursive: true,
      onChange: menus.reload,
      onError: (err) =>
        log.error({ err, folder }, 'changes of the menus are not noticed any more; send SIGHUP'),
    });
    return { name: folder, menus, stopWatching, users: 0 };
  };
  const folders = new Map<string, Awaited<ReturnType<typeof load>>>();
  return {
    /** Takes the menus of a folder; `release` lets go of them. Throws `ConfigError` when they have a problem. */
    async open(directory: string) {
      const path = resolve(directory);
      const folder = folders.get(path) ?? (await load(directory));
      folders.set(path, folder);
      folder.users += 1;
      return {
        menus: folder.menus,
        release(): void {
          folder.users -= 1;
          if (folder.users > 0) return;
          folder.stopWatching();
          folders.delete(path);
          report(folder.name, false);
        },
      };
    },
    /** Reads every folder again. */
    async reload(): Promise<void> {
      await Promise.all([...folders.values()].map(({ menus }) => menus.reload()));
    },
  };
}
