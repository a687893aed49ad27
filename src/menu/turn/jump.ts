import { type Context, unlessUnavailable } from '../tree/context.ts';
import type { Node, Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { readAnswer } from './input.ts';
import { startOf } from './position.ts';
import { resolve } from './resolve.ts';
import { showScreen, type Turn } from './screen.ts';

/** Every step is checked as if it were typed; a jump that fails changes nothing, none reaches beyond a preview, and none leaves out what was typed. */
export async function jump(
  tree: Tree,
  segments: readonly string[],
  context: Context,
  fail: (why: string) => Promise<Turn>,
): Promise<Turn> {
  let position = startOf(tree);
  for (const [index, segment] of segments.entries()) {
    const reached = position.asks === undefined ? position.node.entry.kind : 'question';
    if (reached === 'action') return fail(sentences.jumpFailed(index + 1, sentences.jumpTooLong));
    // A preview of the first part of what was typed would be one of something else, such as of another number.
    if (reached === 'operation') return fail(sentences.jumpFailed(index + 1, sentences.confirmFirst));
    const resolved = resolve(position, readAnswer(segment), context);
    const answered = await unlessUnavailable(resolved, (problem) => ({ problem }));
    if ('problem' in answered) {
      const failed = await fail(sentences.jumpFailed(index + 1, answered.problem));
      return 'refused' in answered ? { ...failed, refused: answered.refused } : failed;
    }
    position = answered;
  }
  return unlessUnavailable(showScreen(position, context), fail);
}

/**
 * Whether a jump of this form can lead anywhere in this tree, whatever the lists hold and whoever asks. One that cannot
 * may be the name of an item, such as `3-tier`.
 */
export function canJump(tree: Tree, segments: readonly string[]): boolean {
  let node = tree.root;
  let rest = segments.slice(questionsOf(node));
  while (rest.length > 0) {
    if (node.entry.kind === 'operation') return true;
    const answer = readAnswer(rest[0] as string);
    const child = answer.kind === 'number' ? node.children.get(answer.number) : undefined;
    if (child === undefined) return false;
    node = child;
    rest = rest.slice(1 + questionsOf(node));
  }
  return true;
}

function questionsOf({ entry }: Node): number {
  return Object.keys(entry.ask).length;
}
