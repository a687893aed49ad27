import { table } from '../words/text.ts';
import { type Described, deriveQuestions } from './derive.ts';
import type { Action, Entry, Operation } from './entry.ts';

/** The operations that the platform has, as far as is known; undefined when nothing is known of it yet. */
export type Operations =
  | {
      /** Differs when any of them does. */
      readonly generation: string;
      find(name: string): Described | undefined;
    }
  | undefined;

/**
 * An entry as it is walked: what its author left out is the platform's to say, as far as it is not in `answered`. The same
 * entry when nothing was left out; a string says why it cannot be shown.
 */
export function completeEntry(
  entry: Entry,
  answered: ReadonlySet<string>,
  operations: Operations,
): Entry | string {
  const otherKind = otherKindOf(entry, operations);
  if (otherKind !== undefined) return otherKind;
  if (entry.kind === 'folder' || entry.runs === undefined || isWhole(entry)) return entry;
  const { runs } = entry;
  const found = operations?.find(runs);
  if (found === undefined)
    return `is not shown until the platform has "${runs}", which it takes its questions from`;
  const title = entry.title || found.title;
  if (isComplete(entry)) return { ...entry, title };
  const derived = deriveQuestions(found, answered, (name) => operations?.find(name));
  if (typeof derived === 'string') return `runs "${runs}", and ${derived}`;
  const ask = { ...entry.ask, ...derived.ask };
  if (entry.kind === 'operation') return { ...entry, title, ask, input: derived.input };
  return {
    ...entry,
    title,
    ask,
    run: async ({ ops }, answers) =>
      table((await ops.call(runs as never, derived.input(answers) as never)) as never),
  };
}

function isWhole(entry: Action | Operation): boolean {
  return entry.title !== '' && isComplete(entry);
}

function isComplete(entry: Action | Operation): boolean {
  return (entry.kind === 'operation' ? entry.input : entry.run) !== undefined;
}

/** Where an entry names what the platform has not, as far as that is known; undefined where all is well. */
export function differenceOf(entry: Entry, operations: Operations): string | undefined {
  const runs = entry.kind === 'folder' ? undefined : entry.runs;
  const name = runs ?? entry.needs;
  if (operations === undefined || name === undefined) return undefined;
  const found = operations.find(name);
  const what = runs === undefined ? 'needs' : 'runs';
  if (found === undefined) {
    return `${what} "${name}", which the ops platform does not have; if the name is right the platform is older than this menu, and nobody sees the entry until it is there`;
  }
  return otherKindOf(entry, operations);
}

/** What is wrong where an entry runs an operation of the other kind, of which nothing can come; undefined where it is right. */
function otherKindOf(entry: Entry, operations: Operations): string | undefined {
  if (entry.kind === 'folder' || entry.runs === undefined) return undefined;
  const { runs, kind } = entry;
  const found = operations?.find(runs);
  if (found === undefined || found.kind === (kind === 'operation' ? 'change' : 'read')) return undefined;
  const [does, write] =
    found.kind === 'read' ? ['only looks', 'action()'] : ['changes something', 'operation()'];
  return `runs "${runs}", which ${does} on the ops platform, and nobody sees the entry; if this menu is the older of the two write ${write}, else the entry is there once the platform is updated`;
}
