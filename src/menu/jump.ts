import { answer } from './answer.ts';
import { arrive, type Turn } from './arrive.ts';
import { type Context, Unavailable } from './context.ts';
import { startOf } from './place.ts';
import { sentences } from './sentences.ts';
import type { Tree } from './tree.ts';

/** Every step is checked as if it were typed; a jump that fails changes nothing, and none reaches beyond a preview. */
export async function jump(
  tree: Tree,
  segments: readonly string[],
  context: Context,
  fail: (why: string) => Promise<Turn>,
): Promise<Turn> {
  let place = startOf(tree);
  for (const [index, segment] of segments.entries()) {
    if (place.asked === undefined && place.node.entry.kind === 'operation') {
      return arrive(tree, place, context, sentences.confirmFirst).catch(refusal(fail));
    }
    if (place.asked === undefined && place.node.entry.kind === 'action') {
      return fail(sentences.jumpFailed(index + 1, sentences.jumpTooLong));
    }
    const answered = await answer(place, segment, context).catch((error: unknown) => {
      if (error instanceof Unavailable) return { problem: error.message };
      throw error;
    });
    if ('problem' in answered) return fail(sentences.jumpFailed(index + 1, answered.problem));
    place = answered.next;
  }
  return arrive(tree, place, context).catch(refusal(fail));
}

function refusal(fail: (why: string) => Promise<Turn>): (error: unknown) => Promise<Turn> {
  return (error) => {
    if (error instanceof Unavailable) return fail(error.message);
    throw error;
  };
}
