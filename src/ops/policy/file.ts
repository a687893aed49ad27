import { readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { readPolicy, type TargetNames } from './document.ts';
import { createPolicy, type Policy } from './policy.ts';

/** The policy as its file stands now. */
export interface PolicyFile {
  current(): Policy;
  /** Reads the file again. A bad one is reported, and the old policy goes on. Answers whether the file was good. */
  reload(): boolean;
  close(): void;
}

/** What happened to the file while the platform runs. */
export interface PolicyEvents {
  changed(): void;
  refused(problems: readonly string[]): void;
}

/** Loads the policy and follows its changes. Throws a ConfigError when the file is missing, empty or wrong. */
export function loadPolicy(path: string, targets: TargetNames, events: PolicyEvents): PolicyFile {
  let text = readText(path);
  let policy = createPolicy(readPolicy(text, targets));
  const reload = (): boolean => {
    try {
      const fresh = readText(path);
      if (fresh === text) return true;
      policy = createPolicy(readPolicy(fresh, targets));
      text = fresh;
      events.changed();
      return true;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      events.refused(error.problems);
      return false;
    }
  };
  // The folder, not the file: editors and Kubernetes replace a file (or the link to it) rather than write into it.
  let settling: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(path), { persistent: false }, () => {
    clearTimeout(settling);
    settling = setTimeout(reload, 50).unref();
  });
  watcher.on('error', (error) =>
    events.refused([`${basename(path)} is no longer watched: ${error.message}`]),
  );
  return {
    current: () => policy,
    reload,
    close() {
      clearTimeout(settling);
      watcher.close();
    },
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `OPS_POLICY_FILE: the policy cannot be read (${reason}); give the path of its file`,
    ]);
  }
}
