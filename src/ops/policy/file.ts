import { hash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { ConfigError, InputError } from '../../errors.ts';
import { readTextFile } from '../../server/text-file.ts';
import { watchFolder } from '../../server/watched-folder.ts';
import { type KnownNames, readPolicy } from './document.ts';
import { createPolicy, type Grantable, type Policy } from './policy.ts';

/** What happened to the file while the platform runs. */
export interface PolicyEvents {
  /** The file is good; `isNew` is false when it says what it said before. */
  accepted(isNew: boolean): void;
  refused(problems: readonly string[]): void;
}

/** What a policy may name; `operations` with what rights in them stand on. */
export type Known = Omit<KnownNames, 'operations'> & { readonly operations: readonly Grantable[] };

/** More than the policy of a large company takes. */
const FILE_BYTES = 256 * 1024;

/**
 * Loads the policy and follows its changes. `known` answers what it may name, which may change too: then `reload` is
 * called. Throws a ConfigError when the file is missing, empty or wrong.
 */
export function loadPolicy(path: string, known: () => Known, events: PolicyEvents) {
  let text = readPolicyText(path);
  const read = (from: string) => {
    const { operations, ...targets } = known();
    return readPolicy(from, { ...targets, operations: operations.map(({ name }) => name) });
  };
  let document = read(text);
  let policy = createPolicy(document, known().operations);
  /** Reads the file again. A bad one is reported, and the old policy goes on. */
  const reload = (): void => {
    try {
      const fresh = readPolicyText(path);
      const isNew = fresh !== text;
      document = read(fresh);
      text = fresh;
      events.accepted(isNew);
    } catch (error) {
      events.refused(error instanceof ConfigError ? error.problems : [`policy: ${error}`]);
    } finally {
      policy = createPolicy(document, known().operations);
    }
  };
  const stopWatching = watchFolder({
    folder: dirname(path),
    onChange: reload,
    onError: (error) => events.refused([`changes of ${basename(path)} are not noticed any more: ${error}`]),
  });
  return {
    current: (): Policy => policy,
    /** Names what rights stand on: equal wherever the file is. */
    generation: (): string => hash('sha256', text, 'base64url'),
    reload,
    close: stopWatching,
  };
}

/** The text of a policy file. Throws a ConfigError that goes on from the name of what has named it. */
export function readPolicyText(path: string, setting = 'OPS_POLICY_FILE'): string {
  try {
    return readTextFile(path, FILE_BYTES);
  } catch (error) {
    throw error instanceof InputError ? new ConfigError([`${setting} ${error.message}`]) : error;
  }
}
