import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { watchFolder } from '../../server/watched-folder.ts';
import { readPolicy, type TargetNames } from './document.ts';
import { createPolicy, type Policy } from './policy.ts';

/** What happened to the file while the platform runs. */
export interface PolicyEvents {
  /** The file is good; `isNew` is false when it says what it said before. */
  accepted(isNew: boolean): void;
  refused(problems: readonly string[]): void;
}

/** Loads the policy and follows its changes. Throws a ConfigError when the file is missing, empty or wrong. */
export function loadPolicy(path: string, targets: TargetNames, events: PolicyEvents) {
  let text = readText(path);
  let policy = createPolicy(readPolicy(text, targets));
  /** Reads the file again. A bad one is reported, and the old policy goes on. */
  const reload = (): void => {
    try {
      const fresh = readText(path);
      const isNew = fresh !== text;
      if (isNew) policy = createPolicy(readPolicy(fresh, targets));
      text = fresh;
      events.accepted(isNew);
    } catch (error) {
      events.refused(error instanceof ConfigError ? error.problems : [`policy: ${error}`]);
    }
  };
  const stopWatching = watchFolder({
    folder: dirname(path),
    onChange: reload,
    onError: (error) => events.refused([`changes of ${basename(path)} are not noticed any more: ${error}`]),
  });
  return { current: (): Policy => policy, reload, close: stopWatching };
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
