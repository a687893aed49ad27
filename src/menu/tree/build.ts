import { ConfigError } from '../../errors.ts';
import { bytesOf } from '../words/text.ts';
import { completeEntry, differenceOf, type Operations } from './complete.ts';
import type { Entry, Folder } from './entry.ts';
import type { Node, Tree } from './tree.ts';

/** A file of a menu folder: its path inside the folder, with `/`, and what it exports by default. */
export interface MenuFile {
  readonly path: string;
  readonly entry: unknown;
}

/** The files of one generation, which is named by what stands in them. */
export interface MenuFiles {
  readonly generation: string;
  readonly files: readonly MenuFile[];
}

const INDEX = /(^|\/)index\.ts$/;
const TITLE_BYTES = 60;
const QUESTION_BYTES = 120;

/**
 * Builds one generation from its files. Throws a ConfigError of every problem found, each with the file and the remedy.
 * Where the files and the platform differ is no such problem, since either may be updated first: `differences` has it, and
 * an entry that cannot be shown for it is left out.
 */
export function buildTree(files: readonly MenuFile[], generation: string, operations: Operations): Tree {
  const problems: string[] = [];
  const differences: string[] = [];
  let isDerived = false;
  const standing = new Map(files.map((file) => [locationOf(file.path), file]));
  for (const location of standing.keys()) {
    const folder = folderOf(location);
    if (!standing.has(folder)) problems.push(`${folder}/: has no index.ts; add one with its title`);
  }

  const nodeAt = (location: string, parent: Node | undefined): Node | undefined => {
    const { path, entry } = standing.get(location) as MenuFile;
    if (!isEntry(entry)) {
      problems.push(`${path}: has no default export made by folder(), action() or operation()`);
      return undefined;
    }
    const children = new Map<number, Node>();
    const declared = { number: numberOf(location), file: path, entry, parent, children, isDerived: false };
    const answered = [declared, ...ancestorsOf(declared)].flatMap((each) => Object.keys(each.entry.ask));
    const complete = completeEntry(entry, new Set(answered), operations);
    const node = {
      ...declared,
      entry: typeof complete === 'string' ? entry : complete,
      isDerived: complete !== entry,
    };
    isDerived ||= node.isDerived;
    const own = problemsOf(declared);
    problems.push(...own.map((problem) => `${path}: ${problem}`));
    // What the platform words is no fault of the file, and must not keep all others away.
    const [odd] = problemsOf(node).filter((problem) => !own.includes(problem));
    const said = typeof complete === 'string' ? complete : odd && `${odd}; its operation says so`;
    const difference = differenceOf(entry, operations) ?? said;
    // While nothing is known of the platform there is nothing to tell.
    if (difference !== undefined && operations !== undefined) differences.push(`${path}: ${difference}`);
    if (said !== undefined) return undefined;
    const inside = [...standing.keys()].filter((each) => each !== '' && folderOf(each) === location);
    for (const each of inside.sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1))) {
      const child = nodeAt(each, node);
      if (child !== undefined && !children.has(child.number)) children.set(child.number, child);
    }
    return node;
  };

  if (!standing.has('')) throw new ConfigError(['index.ts: is missing; it is the first screen']);
  const root = nodeAt('', undefined);
  if (root === undefined || problems.length > 0) throw new ConfigError(problems);
  // Questions that come from the platform are a generation of their own.
  const suffix = isDerived && operations !== undefined ? `+${operations.generation}` : '';
  return { generation: `${generation}${suffix}`, root, differences };
}

/** What is wrong with an entry where it stands, each with the remedy. */
function problemsOf(node: Node): readonly string[] {
  const { title, ask, within, ...entry } = node.entry;
  const isIndex = INDEX.test(node.file);
  const above = ancestorsOf(node);
  const sibling = node.parent?.children.get(node.number);
  const problems: string[] = [];
  if (sibling !== undefined) {
    problems.push(`has the number ${node.number} of ${sibling.file}; give one of them another`);
  }
  if (isIndex && entry.kind !== 'folder') problems.push('must export a folder()');
  if (!isIndex && entry.kind === 'folder') problems.push('is a folder(); that belongs in an index.ts');
  const mayComeLater = title === '' && entry.kind !== 'folder' && entry.runs !== undefined;
  if (!mayComeLater && (typeof title !== 'string' || title.trim() === '')) problems.push('has no title');
  else if (bytesOf(title) > TITLE_BYTES || title.includes('\n')) {
    problems.push(`the title is over ${TITLE_BYTES} bytes or more than one line; shorten it`);
  }
  for (const [name, { question }] of Object.entries(ask)) {
    if (question === '' || bytesOf(question) > QUESTION_BYTES) {
      problems.push(`the question "${name}" is empty or over ${QUESTION_BYTES} bytes; shorten it`);
    }
    const twin = above.find((each) => Object.hasOwn(each.entry.ask, name));
    if (twin !== undefined) problems.push(`asks "${name}", which ${twin.file} asks already; rename it`);
  }
  if (within !== undefined && !above.some((each) => each.entry === (within as Folder))) {
    problems.push(`says it is within "${within.title}" but does not stand under its index.ts; move it`);
  }
  return problems;
}

function ancestorsOf({ parent }: Node): readonly Node[] {
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)];
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'kind' in value && 'title' in value && 'ask' in value;
}

/** Where an entry stands: a folder where its index.ts does; the first screen at ''. */
function locationOf(path: string): string {
  return INDEX.test(path) ? folderOf(path) : path;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The number that an entry is typed by; 0 for the first screen. */
function numberOf(location: string): number {
  return Number.parseInt(location.slice(location.lastIndexOf('/') + 1), 10) || 0;
}
