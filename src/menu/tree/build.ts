import { bytesOf } from '../words/text.ts';
import type { Entry, Folder } from './entry.ts';
import type { Node, Tree } from './tree.ts';

/** A file of a menu folder: its path inside the folder, with `/`, and what it exports by default. */
export interface MenuFile {
  readonly path: string;
  readonly entry: unknown;
}

/** Which operations there are; a name in `needs` or `runs` outside of them is a problem of the file. */
export interface Operations {
  isOperation(name: string): boolean;
  isChange(name: string): boolean;
}

const TITLE_BYTES = 60;
const QUESTION_BYTES = 120;

type Draft = Omit<Node, 'children' | 'requires'> & {
  children: Map<number, Node>;
  requires: readonly string[];
};

/** Builds one generation from its files, or answers every problem found, each with the file and the remedy. */
export function buildTree(
  files: readonly MenuFile[],
  generation: string,
  operations: Operations,
): { readonly tree: Tree } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const nodes = new Map<string, Draft>();
  for (const { path, entry } of [...files].sort(byDepth)) {
    const isIndex = path === 'index.ts' || path.endsWith('/index.ts');
    const location = isIndex ? folderOf(path) : path;
    const parent = location === '' ? undefined : nodes.get(folderOf(location));
    const found = problemsOf(path, entry, isIndex, operations);
    if (location !== '' && parent === undefined)
      found.push(`${folderOf(location)}/: has no index.ts; add one with its title`);
    if (found.length === 0) {
      const number = location === '' ? 0 : Number.parseInt(location.slice(location.lastIndexOf('/') + 1), 10);
      const node = { number, file: path, entry: entry as Entry, parent, children: new Map(), requires: [] };
      const twin = parent?.children.get(number);
      if (twin !== undefined)
        found.push(`${path}: has the number ${number} of ${twin.file}; give one of them another`);
      found.push(...misplaced(node));
      nodes.set(location, node);
      parent?.children.set(number, node);
    }
    problems.push(...found);
  }
  const root = nodes.get('');
  if (root === undefined) problems.push('index.ts: is missing; it is the first screen');
  if (root === undefined || problems.length > 0) return { problems };
  return { tree: { generation, root: sealed(root) } };
}

function problemsOf(path: string, entry: unknown, isIndex: boolean, operations: Operations): string[] {
  if (!isEntry(entry)) return [`${path}: has no default export made by folder(), action() or operation()`];
  const problems: string[] = [];
  if (isIndex !== (entry.kind === 'folder')) {
    problems.push(
      `${path}: ${isIndex ? 'must export a folder()' : 'is a folder(); that belongs in an index.ts'}`,
    );
  }
  if (typeof entry.title !== 'string' || entry.title.trim() === '') problems.push(`${path}: has no title`);
  else if (bytesOf(entry.title) > TITLE_BYTES || entry.title.includes('\n')) {
    problems.push(`${path}: the title is over ${TITLE_BYTES} bytes or more than one line; shorten it`);
  }
  for (const [name, { question }] of Object.entries(entry.ask)) {
    if (question === '' || bytesOf(question) > QUESTION_BYTES) {
      problems.push(`${path}: the question "${name}" is empty or over ${QUESTION_BYTES} bytes; shorten it`);
    }
  }
  if (entry.kind === 'operation' && !operations.isChange(entry.runs)) {
    problems.push(`${path}: runs "${entry.runs}", which is no change in src/contract; check the name`);
  }
  if (entry.kind !== 'operation' && entry.needs !== undefined && !operations.isOperation(entry.needs)) {
    problems.push(`${path}: needs "${entry.needs}", which is no operation in src/contract; check the name`);
  }
  return problems;
}

function misplaced(node: Draft): string[] {
  const { within, ask } = node.entry;
  const above: Node[] = [];
  for (let up = node.parent; up !== undefined; up = up.parent) above.push(up);
  const problems: string[] = [];
  if (within !== undefined && !above.some(({ entry }) => entry === (within as Folder))) {
    problems.push(
      `${node.file}: says it is within "${within.title}" but does not stand under its index.ts; move it`,
    );
  }
  for (const name of Object.keys(ask)) {
    const twin = above.find(({ entry }) => Object.hasOwn(entry.ask, name));
    if (twin !== undefined)
      problems.push(`${node.file}: asks "${name}", which ${twin.file} asks already; rename it`);
  }
  return problems;
}

/** Sorts the children by number and gathers, once for each generation, which operations make an entry visible. */
function sealed(draft: Draft): Node {
  const children = [...draft.children.values()].sort((a, b) => a.number - b.number);
  draft.children = new Map(children.map((child) => [child.number, sealed(child as Draft)]));
  const { entry } = draft;
  if (entry.kind === 'folder') {
    const below = [...draft.children.values()].map(({ requires }) => requires);
    draft.requires = below.some((requires) => requires.length === 0) ? [] : [...new Set(below.flat())];
  } else {
    const own = entry.kind === 'operation' ? entry.runs : entry.needs;
    draft.requires = own === undefined ? [] : [own];
  }
  return draft;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'kind' in value && 'title' in value && 'ask' in value;
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** Folders before what stands in them, shallow before deep. */
function byDepth(a: MenuFile, b: MenuFile): number {
  const rank = ({ path }: MenuFile) => path.split('/').length - (/(^|\/)index\.ts$/.test(path) ? 1.5 : 0);
  return rank(a) - rank(b) || (a.path < b.path ? -1 : 1);
}
