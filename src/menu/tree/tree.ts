import type { Answers, Context } from './context.ts';
import type { Entry } from './entry.ts';

/** One entry where it stands in the tree. */
export interface Node {
  readonly number: number;
  readonly file: string;
  readonly entry: Entry;
  readonly parent: Node | undefined;
  readonly children: ReadonlyMap<number, Node>;
  /** Whether some of it is the platform's to say (complete.ts). */
  readonly isDerived: boolean;
}

/** One generation of the menu. Generations with the same name were read from the same files. */
export interface Tree {
  /** That of the files, and behind a `+` that of the operations where these say what is asked. */
  readonly generation: string;
  readonly root: Node;
  /** Where its files and the platform differ, a sentence each with the file. */
  readonly differences: readonly string[];
}

/** Whether a session of that generation may go on at a node: of the same files, and where the platform asks, of the same operations. */
export function isSameAt(node: Node, tree: Tree, generation: string): boolean {
  const [files, others] = [generation, tree.generation].map((each) => each.split('+')[0]);
  return generation === tree.generation || (files === others && !node.isDerived);
}

/** Whether the user may see an entry, given the answers so far. A menu is seen when something in it is. */
export function isVisible(node: Node, context: Context, answers: Answers): boolean {
  const { kind, needs } = node.entry;
  if (needs !== undefined && !context.may(needs, answers)) return false;
  return kind !== 'folder' || visibleChildren(node, context, answers).length > 0;
}

/** The children that the user may see, in the order of their numbers. */
export function visibleChildren(node: Node, context: Context, answers: Answers): readonly Node[] {
  return [...node.children.values()].filter((child) => isVisible(child, context, answers));
}

/** A question of an entry, with the name that its answer gets. */
export type Ask = NonNullable<ReturnType<typeof nextQuestion>>;

/** The first question of an entry that is not answered yet. */
export function nextQuestion({ entry }: Node, answers: Answers) {
  const found = Object.entries(entry.ask).find(([name]) => !Object.hasOwn(answers, name));
  return found && { name: found[0], question: found[1] };
}
