import { resolve } from 'node:path';
import { createMenus, type Menus, type Operations } from '../chat/index.ts';
import { createSandbox } from '../sandbox/sandbox.ts';
import type { Log } from '../server/log.ts';
import type { ReloadResult } from '../server/metrics.ts';
import { watchFolder } from '../server/watched-folder.ts';

interface MenuFoldersParts {
  readonly log: Log;
  /** Hears `refused` while any folder serves what was read before. */
  onReload(result: ReloadResult): void;
  /** What the platform has now. */
  operations(): Operations;
  /** A folder has these problems. */
  onProblems(folder: string, problems: readonly string[]): void;
  /** Unix ms. */
  now(): number;
}

/** Makes what holds the menus of all accounts: those of one folder are loaded once, whichever accounts have it. */
export function createMenuFolders({ log, onReload, operations, onProblems, now }: MenuFoldersParts) {
  const refused = new Set<string>();
  const report = (folder: string, isRefused: boolean): void => {
    if (isRefused) refused.add(folder);
    else refused.delete(folder);
    onReload(refused.size > 0 ? 'refused' : 'accepted');
  };
  const load = async (folder: string) => {
    let differing = '';
    const sandbox = createSandbox({
      onStopped(file, why) {
        log.error({ folder, file, why }, 'a function of the menus was stopped');
        if (file !== undefined) onProblems(folder, [`${file}: was stopped while it ran: ${why}`]);
      },
      now,
    });
    const menus = await createMenus({
      directory: folder,
      loadFiles: sandbox.loadFiles,
      operations,
      onLoaded({ generation, differences }, isNew, isRefused) {
        report(folder, isRefused);
        if (isNew) log.info({ generation, folder }, 'menus loaded');
        const said = differences.join('\n');
        if (said !== differing && said !== '') {
          log.warn({ differences, folder }, 'the menus and the ops platform differ');
        }
        differing = said;
      },
      onProblems(problems) {
        report(folder, true);
        log.error({ problems, folder }, 'menus not reloaded, the old ones go on serving');
        onProblems(folder, problems);
      },
    }).catch((error: unknown) => {
      sandbox.close();
      throw error;
    });
    const stopWatching = watchFolder({
      folder,
      isRecursive: true,
      onChange: menus.reload,
      onError: (err) =>
        log.error({ err, folder }, 'changes of the menus are not noticed any more; send SIGHUP'),
    });
    return {
      menus,
      close() {
        stopWatching();
        sandbox.close();
      },
    };
  };
  const folders = new Map<string, Awaited<ReturnType<typeof load>>>();
  return {
    /** The menus of a folder. Throws `ConfigError` when they have a problem. */
    async open(directory: string): Promise<Menus> {
      const path = resolve(directory);
      const folder = folders.get(path) ?? (await load(path));
      folders.set(path, folder);
      return folder.menus;
    },
    /** Lets go of all other folders. */
    keep(directories: readonly string[]): void {
      const kept = new Set(directories.map((directory) => resolve(directory)));
      for (const [path, { close }] of folders) {
        if (kept.has(path)) continue;
        close();
        folders.delete(path);
        report(path, false);
      }
    },
    /** The platform has other operations now. */
    async rebuild(): Promise<void> {
      await Promise.all([...folders.values()].map(({ menus }) => menus.rebuild()));
    },
    /** Reads every folder again. */
    async reload(): Promise<void> {
      await Promise.all([...folders.values()].map(({ menus }) => menus.reload()));
    },
  };
}
