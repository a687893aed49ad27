import { type Context, Unavailable } from '../tree/context.ts';
import type { Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { type Input, readFreeText, readInput } from './input.ts';
import { jump } from './jump.ts';
import { choiceScreen } from './options.ts';
import { findPosition, menuOf, type Position, stepBack } from './position.ts';
import { pagesOf, render } from './render.ts';
import { resolve } from './resolve.ts';
import { firstScreen, show, showScreen, type Turn } from './screen.ts';
import type { Screen, Session } from './session.ts';

export type { Turn } from './screen.ts';

interface Standing {
  readonly tree: Tree;
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
    const line = readInput(typed);
    if (line.kind === 'jump')
      return jump(tree, line.segments, context, (why) => firstScreen(tree, context, why));
    return firstScreen(tree, context);
  }
  if (session.generation !== tree.generation) return firstScreen(tree, context, sentences.menuChanged);
  const position = findPosition(tree, session.steps, context);
  if (position === undefined) return firstScreen(tree, context, sentences.notAllowedAnyMore);
  const standing = { tree, position, screen: session.screen, context };
  try {
    return await takeLine(standing, typed);
  } catch (error) {
    if (error instanceof Unavailable) return stay(standing, error.message);
    throw error;
  }
}

/** The screen a session shows, for a message that may do nothing; null when it no longer fits the tree. */
export function currentScreen(
  tree: Tree,
  session: Session | null,
  notice: string,
  context: Context,
): string | null {
  if (session === null || session.generation !== tree.generation) return null;
  const position = findPosition(tree, session.steps, context);
  return position === undefined ? null : render(position, session.screen, context, notice);
}

async function takeLine(standing: Standing, typed: string): Promise<Turn> {
  const { tree, screen, context } = standing;
  const line = screen.kind === 'question' ? readFreeText(typed) : readInput(typed);
  switch (line.kind) {
    case 'exit':
      return { text: sentences.bye, session: null };
    case 'help':
      return stay(standing, sentences.helpText);
    case 'next':
    case 'previous':
      return turnPage(standing, line.kind === 'next' ? 1 : -1);
    case 'back':
      return goBack(standing);
    case 'jump':
      return jump(tree, line.segments, context, async (why) => stay(standing, why));
    default:
      return screen.kind === 'preview' ? confirm(standing, screen, line) : choose(standing, typed);
  }
}

async function choose(standing: Standing, typed: string): Promise<Turn> {
  const { tree, position, screen, context } = standing;
  // A result offers nothing to choose, also where it stands in for the menu to go back to.
  if (screen.kind === 'text') return stay(standing, sentences.nothingToType);
  const pins = screen.kind === 'choice' ? screen.pins : undefined;
  const answered = await resolve(position, typed.trim(), context, pins);
  if ('next' in answered) return showScreen(tree, answered.next, context);
  if (answered.fresh === undefined) return stay(standing, answered.problem);
  return show(tree, position, choiceScreen(answered.fresh), context, answered.problem);
}

async function confirm(
  standing: Standing,
  screen: Extract<Screen, { kind: 'preview' }>,
  line: Input,
): Promise<Turn> {
  const { tree, position, context } = standing;
  const { preview, input } = screen;
  if (context.now > preview.expiresAt) return showScreen(tree, position, context, sentences.previewExpired);
  const typed = line.kind === 'number' ? `${line.number}` : line.kind === 'text' ? line.text : '';
  if (preview.code === undefined && typed !== '1') return stay(standing, sentences.onlyOne);
  if (preview.code !== undefined && typed !== preview.code) return stay(standing, sentences.wrongCode);
  const { entry } = position.node;
  if (entry.kind !== 'operation') throw new Error(`${position.node.file} previews but is no operation`);
  const outcome = await context.run(entry.runs, input, preview, preview.code);
  if (outcome.fresh !== undefined) {
    const again = { kind: 'preview', preview: outcome.fresh, input } as const;
    return { ...show(tree, position, again, context, outcome.text), ran: true };
  }
  const menu = menuOf(tree, position, context);
  const told = { kind: 'text', text: outcome.text, page: 0, settled: true } as const;
  return { ...show(tree, menu, told, context), ran: true };
}

function turnPage(standing: Standing, by: 1 | -1): Turn {
  const { tree, position, screen, context } = standing;
  if (!('page' in screen)) return stay(standing, sentences.noMorePages);
  const page = screen.page + by;
  if (page < 0 || page >= pagesOf(position, screen, context)) return stay(standing, sentences.noMorePages);
  return show(tree, position, { ...screen, page }, context);
}

async function goBack(standing: Standing): Promise<Turn> {
  const { tree, position, screen, context } = standing;
  if (screen.kind === 'text' && screen.settled) return showScreen(tree, position, context);
  if (position.steps.length === 0) return stay(standing, sentences.atTop);
  return showScreen(tree, stepBack(tree, position, context), context);
}

function stay({ position, screen, context }: Standing, why: string): Turn {
  return { text: render(position, screen, context, why), session: 'same' };
}
