import { type Context, Unavailable } from '../tree/context.ts';
import type { Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { startOf } from './position.ts';
import { resolve } from './resolve.ts';
import { showScreen, type Turn } from './screen.ts';

/** Every step is checked as if it were typed; a jump that fails changes nothing, and none reaches beyond a preview. */
export async function jump(
  tree: Tree,
  segments: readonly string[],
  context: Context,
  fail: (why: string) => Promise<Turn>,
): Promise<Turn> {
  let position = startOf(tree);
  for (const [index, segment] of segments.entries()) {
    if (position.asked === undefined && position.node.entry.kind === 'operation') {
      return showScreen(tree, position, context, sentences.confirmFirst).catch(refusal(fail));
    }
    if (position.asked === undefined && position.node.entry.kind === 'action') {
      return fail(sentences.jumpFailed(index + 1, sentences.jumpTooLong));
    }
    const answered = await resolve(position, segment, context).catch((error: unknown) => {
      if (error instanceof Unavailable) return { problem: error.message };
      throw error;
    });
    if ('problem' in answered) return fail(sentences.jumpFailed(index + 1, answered.problem));
    position = answered.next;
  }
  return showScreen(tree, position, context).catch(refusal(fail));
}

function refusal(fail: (why: string) => Promise<Turn>): (error: unknown) => Promise<Turn> {
  return (error) => {
    if (error instanceof Unavailable) return fail(error.message);
    throw error;
  };
}
