import type { Answers, Context } from './context.ts';
import type { Question } from './question.ts';
import type { Step } from './session.ts';
import { isVisible, type Node, nextQuestion, type Tree } from './tree.ts';

/** Where some steps lead. `asked` is the question to answer next; without one the entry itself is reached. */
export interface Place {
  readonly node: Node;
  readonly steps: readonly Step[];
  readonly answers: Answers;
  readonly asked: readonly [string, Question] | undefined;
  /** Titles and chosen labels on the way, the first screen's own title left out. */
  readonly crumbs: readonly string[];
}

/** Walks the steps and checks each: still there, still allowed. Undefined when one is not. */
export function findPlace(tree: Tree, steps: readonly Step[], context: Context): Place | undefined {
  let place = startOf(tree);
  for (const step of steps) {
    const next = stepFrom(place, step, context);
    if (next === undefined) return undefined;
    place = next;
  }
  return place;
}

/** The first screen, before anything was typed. */
export function startOf(tree: Tree): Place {
  return { node: tree.root, steps: [], answers: {}, asked: nextQuestion(tree.root, {}), crumbs: [] };
}

/** Where one more step leads; undefined when it does not fit or is not allowed. */
export function stepFrom(place: Place, step: Step, context: Context): Place | undefined {
  const steps = [...place.steps, step];
  if (step.kind === 'answer') {
    if (place.asked === undefined) return undefined;
    const answers = { ...place.answers, [place.asked[0]]: step.value };
    const crumbs = [...place.crumbs, step.label];
    return { node: place.node, steps, answers, asked: nextQuestion(place.node, answers), crumbs };
  }
  const node = place.asked === undefined ? place.node.children.get(step.number) : undefined;
  if (node === undefined || !isVisible(node, context, place.answers)) return undefined;
  const crumbs = [...place.crumbs, node.entry.title];
  return { node, steps, answers: place.answers, asked: nextQuestion(node, place.answers), crumbs };
}

/** The place one step back; the first screen's is itself. */
export function stepBack(tree: Tree, place: Place, context: Context): Place {
  return findPlace(tree, place.steps.slice(0, -1), context) ?? startOf(tree);
}

/** The menu that an entry stands in, with everything asked on the way to it answered. */
export function menuOf(tree: Tree, place: Place, context: Context): Place {
  let back = place;
  while (back.steps.length > 0 && back.node === place.node) back = stepBack(tree, back, context);
  return back;
}
