import { type Context, unlessUnavailable } from '../tree/context.ts';
import { isChoice } from '../tree/question.ts';
import type { Node, Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { readAnswer } from './input.ts';
import { type Position, startOf } from './position.ts';
import { resolve } from './resolve.ts';
import { showScreen, type Turn } from './screen.ts';

/** Why a reading of a jump ends, and at which step. */
type Failure = Pick<Turn, 'refused'> & { readonly step: number; readonly problem: string };

/**
 * Every step is checked as if it were typed; a jump that fails changes nothing, none reaches beyond a preview, and none
 * leaves out what was typed. A name in a list may have dashes of its own: where the jump can be read in one way it goes
 * there, where it can be read in several it names them.
 */
export async function jump(
  tree: Tree,
  segments: readonly string[],
  context: Context,
  fail: (why: string) => Promise<Turn>,
): Promise<Turn> {
  const failures: Failure[] = [];
  const [position, ...others] = await waysFrom(startOf(tree), segments, context, failures);
  if (position === undefined) {
    const { step, problem, refused } = failures.reduce((one, other) => (other.step > one.step ? other : one));
    const failed = await fail(sentences.jumpFailed(step, problem));
    return refused === undefined ? failed : { ...failed, refused };
  }
  if (others.length > 0) {
    const ways = [position, ...others].slice(0, WAYS_SHOWN).map(({ crumbs }) => crumbs.join(' › '));
    return fail(sentences.jumpAmbiguous(ways.join('；')));
  }
  return unlessUnavailable(showScreen(position, context), fail);
}

const WAYS_SHOWN = 4;

/** Where the segments lead from here, in every way in which they can be read. */
async function waysFrom(
  position: Position,
  segments: readonly string[],
  context: Context,
  failures: Failure[],
  step = 1,
): Promise<readonly Position[]> {
  if (segments.length === 0) return [position];
  const { asks } = position;
  const reached = asks === undefined ? position.node.entry.kind : 'question';
  if (reached === 'action' || reached === 'operation') {
    // A preview of the first part of what was typed would be one of something else, such as of another number.
    const problem = reached === 'action' ? sentences.jumpTooLong : sentences.confirmFirst;
    failures.push({ step, problem });
    return [];
  }
  const longest = asks !== undefined && isChoice(asks.question) ? segments.length : 1;
  const ways: Position[] = [];
  for (let length = 1; length <= longest && ways.length < WAYS_SHOWN; length += 1) {
    const answer = readAnswer(segments.slice(0, length).join('-'));
    if (answer.text === '') continue;
    const found = await unlessUnavailable(resolve(position, answer, context), (problem) => ({ problem }));
    if ('problem' in found) failures.push({ ...found, step });
    else ways.push(...(await waysFrom(found, segments.slice(length), context, failures, step + length)));
  }
  return ways;
}

/**
 * Whether a jump of this form can lead anywhere in this tree, whatever the lists hold and whoever asks. One that cannot
 * may be the name of an item, such as `3-tier`.
 */
export function canJump({ root }: Tree, segments: readonly string[]): boolean {
  return canGoOn(root, segments.slice(Object.keys(root.entry.ask).length));
}

/** Whether the segments lead on from an entry whose questions are answered. */
function canGoOn(node: Node, [next, ...rest]: readonly string[]): boolean {
  if (next === undefined || node.entry.kind === 'operation') return true;
  const answer = readAnswer(next);
  const child = answer.kind === 'number' ? node.children.get(answer.number) : undefined;
  if (child === undefined) return false;
  const asks = Object.values(child.entry.ask);
  // What is chosen from a list may have dashes in its name.
  const most = asks.some(isChoice) ? rest.length : 0;
  for (let taken = asks.length; taken <= Math.max(asks.length, most); taken += 1) {
    if (canGoOn(child, rest.slice(taken))) return true;
  }
  return false;
}
