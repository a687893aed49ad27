import { watch } from 'node:fs';

/** What is watched, and what then happens. */
export interface WatchParts {
  readonly folder: string;
  /** Folders inside of it too. */
  readonly isRecursive?: boolean;
  /** Something in the folder has changed and come to rest. What it throws goes to `onError`. */
  onChange(): unknown;
  /** A reload failed, or the folder is not watched any more. The process goes on all the same. */
  onError(error: unknown): void;
}

/** An editor writes a file in several steps; one call when it has come to rest is enough. */
const SETTLED_MS = 200;

/**
 * Watches a folder until the function that comes back is called. A single file is watched by its folder: editors and
 * Kubernetes replace a file (or the link to it) rather than write into it.
 */
export function watchFolder(parts: WatchParts): () => void {
  const { folder, isRecursive = false, onChange, onError } = parts;
  const call = async (): Promise<void> => {
    try {
      await onChange();
    } catch (error) {
      onError(error);
    }
  };
  let settling: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: isRecursive, persistent: false }, () => {
    clearTimeout(settling);
    settling = setTimeout(call, SETTLED_MS).unref();
  });
  watcher.on('error', onError);
  return () => {
    clearTimeout(settling);
    watcher.close();
  };
}
