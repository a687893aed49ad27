import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** What is watched, and what then happens. */
export interface WatchParts {
  readonly folder: string;
  /** Folders inside of it too, but for hidden ones. */
  readonly isRecursive?: boolean;
  /** How long nothing may change before it counts as at rest; 200 ms when left out. */
  readonly settledMs?: number;
  /** Something in the folder has changed and come to rest. What it throws goes to `onError`. */
  onChange(): unknown;
  /** A reload failed, or the folder is not watched any more. The process goes on all the same. */
  onError(error: unknown): void;
}

/** An editor writes a file in several steps; one call when it has come to rest is enough. */
const SETTLED_MS = 200;

/**
 * Watches a folder until the function that comes back is called. A single file is watched by its folder: editors and
 * Kubernetes replace a file (or the link to it) rather than write into it. Each inner folder has a watcher of its own,
 * because Node's recursive one loses a file for good once it was replaced (Linux); all are made anew with each change,
 * before `onChange` reads what is there, so that folders may come, go and be replaced too.
 */
export function watchFolder(parts: WatchParts): () => void {
  const { folder, isRecursive = false, settledMs = SETTLED_MS, onChange, onError } = parts;
  let settling: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  let isGone = false;
  const close = (): void => {
    clearTimeout(settling);
    for (const watcher of watchers.splice(0)) watcher.close();
  };
  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(changed, settledMs).unref();
  };
  const open = (): void => {
    watchers = [watchOne(folder)];
    if (!isRecursive) return;
    for (const path of foldersIn(folder)) unlessGone(() => watchers.push(watchOne(path)));
  };
  const watchOne = (path: string) => watch(path, { persistent: false }, settle).on('error', onError);
  const reopen = (): boolean => {
    try {
      close();
      open();
      isGone = false;
    } catch (error) {
      // The folder itself is gone, or the system has no more watchers: it is tried until it works, and reported once.
      if (!isGone) onError(error);
      isGone = true;
      settle();
    }
    return !isGone;
  };
  const changed = async (): Promise<void> => {
    if (!reopen()) return;
    try {
      await onChange();
    } catch (error) {
      onError(error);
    }
  };
  reopen();
  return close;
}

function foldersIn(folder: string): readonly string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  const inner = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const paths = inner.map(({ name }) => join(folder, name));
  return [...paths, ...paths.flatMap(foldersIn)];
}

/** An inner folder may vanish while it is looked at; the watcher of the folder around it hears of that. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
