import { type Context, unlessUnavailable } from '../tree/context.ts';
import { isSameAt, type Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { type Answer, type Input, readAt, readInput } from './input.ts';
import { canJump, jump } from './jump.ts';
import { choiceScreen, isNamed } from './options.ts';
import { findPosition, menuOf, type Position, startOf, stepBack } from './position.ts';
import { pagesOf, render } from './render.ts';
import { resolve, zeroAt } from './resolve.ts';
import { firstScreen, show, showScreen, type Turn, textScreen } from './screen.ts';
import { pathOf, type Screen, type Session } from './session.ts';

export type { Turn } from './screen.ts';

interface Standing {
  readonly position: Position;
  readonly screen: Screen;
  readonly context: Context;
}

/**
 * Takes one typed line. Without a session any line shows the first screen and does nothing else, but for a jump.
 * Never throws for what a user types or the platform refuses: those answer a sentence and change nothing.
 */
export async function takeTurn(
  tree: Tree,
  session: Session | null,
  typed: string,
  context: Context,
): Promise<Turn> {
  if (session === null) {
    const input = readInput(typed);
    if (input.kind !== 'jump') return firstScreen(tree, context);
    return jump(tree, input.segments, context, (why) => firstScreen(tree, context, why));
  }
  const input = readAt(session.screen, typed);
  const position = findPosition(tree, session.steps, context);
  const { generation } = session;
  if (position === undefined || !isSameAt(position.node, tree, generation)) {
    if (!isSameAt(position?.node ?? tree.root, tree, generation))
      return startOver(tree, input, context, sentences.menuChanged);
    const again = await startOver(tree, input, context, sentences.notAllowedAnyMore);
    return { ...again, refused: { kind: 'rights', at: pathOf(session) } };
  }
  const standing = { position, screen: session.screen, context };
  const taken = takeInput(standing, nameBeforeWord(standing, input));
  return unlessUnavailable(taken, (why) => stay(standing, why));
}

/** The screen a session shows, for a message that may do nothing; null when it no longer fits the tree. */
export function currentScreen(
  tree: Tree,
  session: Session | null,
  notice: string,
  context: Context,
): string | null {
  if (session === null) return null;
  const position = findPosition(tree, session.steps, context);
  if (position === undefined || !isSameAt(position.node, tree, session.generation)) return null;
  return render(position, session.screen, context, notice);
}

/** The first screen instead of one that is not there any more. Leaving and help need no screen, so they still work. */
async function startOver(tree: Tree, input: Input, context: Context, why: string): Promise<Turn> {
  if (input.kind === 'exit') return { text: sentences.bye, session: null };
  return firstScreen(tree, context, input.kind === 'help' ? `${why}\n\n${sentences.helpText}` : why);
}

/** A line that names an item of the list is that item, unless it is a key or can be a jump. */
function nameBeforeWord({ position, screen }: Standing, input: Input): Input {
  if (input.kind === 'number' || input.kind === 'text' || !isNamed(screen, input.text)) return input;
  const isTaken = input.kind === 'jump' ? canJump(position.tree, input.segments) : input.isKey;
  return isTaken ? input : { kind: 'text', text: input.text };
}

async function takeInput(standing: Standing, input: Input): Promise<Turn> {
  const { position, screen, context } = standing;
  switch (input.kind) {
    case 'exit':
      return { text: sentences.bye, session: null };
    case 'help':
      return stay(standing, sentences.helpText);
    case 'next':
    case 'previous':
      return turnPage(standing, input.kind === 'next' ? 1 : -1);
    case 'back':
      return goBack(standing);
    case 'top':
      return showScreen(startOf(position.tree), context);
    case 'cancel':
      return cancel(standing);
    case 'jump':
      if (isNamed(screen, input.text)) return stay(standing, sentences.ambiguous(input.text));
      return jump(position.tree, input.segments, context, async (why) => stay(standing, why));
  }
  switch (screen.kind) {
    case 'preview':
      return confirm(standing, screen, input);
    case 'question':
      return answerQuestion(standing, input);
    case 'menu':
    case 'choice':
      return choose(standing, input);
    case 'text':
      // A result offers nothing to choose, also where it stands in for the menu to go back to.
      return stay(standing, sentences.nothingToType);
  }
}

async function choose(standing: Standing, answer: Answer): Promise<Turn> {
  const { position, screen, context } = standing;
  const pins = screen.kind === 'choice' ? screen.pins : undefined;
  const resolved = await resolve(position, answer, context, pins);
  if (!('problem' in resolved)) return showScreen(resolved, context);
  if (resolved.fresh === undefined) return { ...stay(standing, resolved.problem), refused: resolved.refused };
  return show(position, choiceScreen(resolved.fresh), context, resolved.problem);
}

/** A line that the question does not accept may still be a word that leads elsewhere, such as `0` or `取消`. */
async function answerQuestion(standing: Standing, answer: Answer): Promise<Turn> {
  const { position, context } = standing;
  const resolved = await resolve(position, answer, context);
  const command = readInput(answer.text);
  if (!('problem' in resolved)) {
    // Whoever presses 0 to get out must not end at a preview of zero: where digits are wanted, 0 alone is no answer.
    const zero = command.text === '0' ? await zeroAt(position) : undefined;
    return zero === undefined
      ? showScreen(resolved, context)
      : stay(standing, sentences.zeroIsAnAnswer(zero));
  }
  const isWord = 'isKey' in command && command.kind !== 'next' && command.kind !== 'previous';
  const leads = isWord || (command.kind === 'jump' && canJump(position.tree, command.segments));
  return leads ? takeInput(standing, command) : stay(standing, resolved.problem);
}

async function cancel(standing: Standing): Promise<Turn> {
  const { position, screen, context } = standing;
  if (screen.kind === 'text' && screen.settled) return stay(standing, sentences.cannotCancel);
  if (position.steps.length === 0) return stay(standing, sentences.atTop);
  const why = screen.kind === 'preview' ? sentences.cancelled : undefined;
  return showScreen(menuOf(position, context), context, why);
}

async function confirm(
  standing: Standing,
  screen: Extract<Screen, { kind: 'preview' }>,
  { text: typed }: Answer,
): Promise<Turn> {
  const { position, context } = standing;
  const { preview, input } = screen;
  if (context.now > preview.expiresAt) {
    const again = await showScreen(position, context, sentences.previewExpired);
    return { ...again, refused: { kind: 'expired', at: position.node.file } };
  }
  if (preview.code === undefined && typed !== '1') return stay(standing, sentences.onlyOne);
  if (preview.code !== undefined && typed !== preview.code) {
    // The code stands on the screen to slow a thumb down, not to be guessed; wrong ones are counted, and asked of nobody.
    const isTried = /^[0-9]+$/.test(typed);
    const wrong = stay(standing, sentences.wrongCode);
    return isTried ? { ...wrong, refused: { kind: 'code', at: position.node.file } } : wrong;
  }
  const { entry } = position.node;
  if (entry.kind !== 'operation') throw new Error(`${position.node.file} previews but is no operation`);
  const outcome = await context.run(entry.runs, input, preview, preview.code);
  if (outcome.fresh !== undefined) {
    const again = { kind: 'preview', preview: outcome.fresh, input } as const;
    return { ...show(position, again, context, outcome.text), ran: true };
  }
  const menu = menuOf(position, context);
  return { ...show(menu, textScreen(outcome.text, true), context), ran: true, receipts: outcome.receipts };
}

function turnPage(standing: Standing, by: 1 | -1): Turn {
  const { position, screen, context } = standing;
  if (!('page' in screen)) return stay(standing, sentences.noMorePages);
  const page = screen.page + by;
  if (page < 0 || page >= pagesOf(position, screen, context)) return stay(standing, sentences.noMorePages);
  return show(position, { ...screen, page }, context);
}

async function goBack(standing: Standing): Promise<Turn> {
  const { position, screen, context } = standing;
  if (screen.kind === 'text' && screen.settled) return showScreen(position, context);
  if (position.steps.length === 0) return stay(standing, sentences.atTop);
  return showScreen(stepBack(position, context), context);
}

function stay({ position, screen, context }: Standing, why: string): Turn {
  return { text: render(position, screen, context, why), session: 'same' };
}
