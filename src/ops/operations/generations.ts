import { resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { watchFolder } from '../../server/watched-folder.ts';
import { type Declare, loadOperations, type NamedOperation, type OperationTable } from './load.ts';

/** What happened to the folder while the platform runs. */
export interface OperationEvents {
  /** The folder is good; `isNew` is false when it says what it said before. */
  accepted(isNew: boolean): void;
  refused(problems: readonly string[]): void;
}

/** How many earlier generations are kept for changes that began with them. */
const KEPT = 4;

/** The operations of this replica: those of the newest generation, and for running changes those of earlier ones. */
export interface Operations {
  /** Of the newest generation. */
  readonly generation: string;
  all(): readonly NamedOperation[];
  find(name: string): NamedOperation | undefined;
  /** All that is held under a name, the newest first. */
  versionsOf(name: string): readonly NamedOperation[];
  /** What an operation is called; its name where it is not known any more. */
  titleOf(name: string): string;
}

/** Loads the folder of operations and follows its changes. Throws a ConfigError when the first generation has a problem. */
export async function openOperations(directory: string, declare: Declare, events: OperationEvents) {
  const folder = resolve(directory);
  let held: readonly OperationTable[] = [await loadOperations(folder, declare)];
  const newest = (): OperationTable => held[0] as OperationTable;
  /** Reads the folder again. A bad file is reported, and the old generation goes on. */
  const read = async (): Promise<void> => {
    try {
      const table = await loadOperations(folder, declare);
      const isNew = table.generation !== newest().generation;
      held = [table, ...held.filter(({ generation }) => generation !== table.generation)].slice(0, KEPT);
      events.accepted(isNew);
    } catch (error) {
      events.refused(error instanceof ConfigError ? error.problems : [`operations: ${error}`]);
    }
  };
  let reading: Promise<void> = Promise.resolve();
  const reload = (): Promise<void> => {
    reading = reading.then(read);
    return reading;
  };
  const close = watchFolder({
    folder,
    isRecursive: true,
    onChange: reload,
    onError: (error) =>
      events.refused([`changes of the operations are not noticed any more; send SIGHUP: ${error}`]),
  });
  const versionsOf = (name: string): readonly NamedOperation[] =>
    held.flatMap(({ operations }) => operations.get(name) ?? []);
  const current: Operations = {
    get generation() {
      return newest().generation;
    },
    all: () => [...newest().operations.values()],
    find: (name) => newest().operations.get(name),
    versionsOf,
    titleOf: (name) => versionsOf(name)[0]?.operation.title ?? name,
  };
  return { current, reload, close };
}
