import { plainLine } from '../../plain-text.ts';
import type { Answers, Context } from '../tree/context.ts';
import { type Ask, isVisible, type Node, nextQuestion, type Tree } from '../tree/tree.ts';
import type { Step } from './session.ts';

/** Where some steps lead. `asks` is the question to answer next; without one the entry itself is reached. */
export interface Position {
  readonly tree: Tree;
  readonly node: Node;
  readonly steps: readonly Step[];
  readonly answers: Answers;
  readonly asks: Ask | undefined;
  /** Titles and chosen labels on the way, the first screen's own title left out. */
  readonly crumbs: readonly string[];
}

/** Walks the steps and checks each: still there, still allowed. Undefined when one is not. */
export function findPosition(tree: Tree, steps: readonly Step[], context: Context): Position | undefined {
  let position = startOf(tree);
  for (const step of steps) {
    const next = stepFrom(position, step, context);
    if (next === undefined) return undefined;
    position = next;
  }
  return position;
}

/** The first screen, before anything was typed. */
export function startOf(tree: Tree): Position {
  return { tree, node: tree.root, steps: [], answers: {}, asks: nextQuestion(tree.root, {}), crumbs: [] };
}

/** Where one more step leads; undefined when it does not fit or is not allowed. */
export function stepFrom(position: Position, step: Step, context: Context): Position | undefined {
  const steps = [...position.steps, step];
  if (step.kind === 'answer') {
    if (position.asks === undefined) return undefined;
    const answers = { ...position.answers, [position.asks.name]: step.value };
    const crumbs = [...position.crumbs, plainLine(step.label)];
    return { ...position, steps, answers, asks: nextQuestion(position.node, answers), crumbs };
  }
  const node = position.asks === undefined ? position.node.children.get(step.number) : undefined;
  if (node === undefined || !isVisible(node, context, position.answers)) return undefined;
  const crumbs = [...position.crumbs, node.entry.title];
  return { ...position, node, steps, asks: nextQuestion(node, position.answers), crumbs };
}

/** The position one step back; that of the first screen is itself. */
export function stepBack({ tree, steps }: Position, context: Context): Position {
  return findPosition(tree, steps.slice(0, -1), context) ?? startOf(tree);
}

/** The menu that an entry stands in, with every question on the way to it answered. */
export function menuOf(position: Position, context: Context): Position {
  let back = position;
  while (back.steps.length > 0 && back.node === position.node) back = stepBack(back, context);
  return back;
}
