import { answer } from './answer.ts';
import { arrive, firstScreen, show, type Turn } from './arrive.ts';
import { type Context, Unavailable } from './context.ts';
import { jump } from './jump.ts';
import { type Line, readFreeText, readLine } from './line.ts';
import { choiceScreen } from './options.ts';
import { findPlace, menuOf, type Place, stepBack } from './place.ts';
import { pagesOf, render } from './render.ts';
import { sentences } from './sentences.ts';
import type { Screen, Session } from './session.ts';
import type { Tree } from './tree.ts';

export type { Turn } from './arrive.ts';

interface Standing {
  readonly tree: Tree;
  readonly place: Place;
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
    const line = readLine(typed);
    if (line.kind === 'jump')
      return jump(tree, line.segments, context, (why) => firstScreen(tree, context, why));
    return firstScreen(tree, context);
  }
  if (session.generation !== tree.generation) return firstScreen(tree, context, sentences.menuChanged);
  const place = findPlace(tree, session.steps, context);
  if (place === undefined) return firstScreen(tree, context, sentences.notAllowedAnyMore);
  const standing = { tree, place, screen: session.screen, context };
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
  const place = findPlace(tree, session.steps, context);
  return place === undefined ? null : render(place, session.screen, context, notice);
}

async function takeLine(standing: Standing, typed: string): Promise<Turn> {
  const { tree, screen, context } = standing;
  const line = screen.kind === 'question' ? readFreeText(typed) : readLine(typed);
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
  const { tree, place, screen, context } = standing;
  // A result offers nothing to choose, also where it stands in for the menu to go back to.
  if (screen.kind === 'text') return stay(standing, sentences.nothingToType);
  const pins = screen.kind === 'choice' ? screen.pins : undefined;
  const answered = await answer(place, typed.trim(), context, pins);
  if ('next' in answered) return arrive(tree, answered.next, context);
  if (answered.fresh === undefined) return stay(standing, answered.problem);
  return show(tree, place, choiceScreen(answered.fresh), context, answered.problem);
}

async function confirm(
  standing: Standing,
  screen: Extract<Screen, { kind: 'preview' }>,
  line: Line,
): Promise<Turn> {
  const { tree, place, context } = standing;
  const { preview, input } = screen;
  if (context.now > preview.expiresAt) return arrive(tree, place, context, sentences.previewExpired);
  const typed = line.kind === 'number' ? `${line.number}` : line.kind === 'text' ? line.text : '';
  if (preview.code === undefined && typed !== '1') return stay(standing, sentences.onlyOne);
  if (preview.code !== undefined && typed !== preview.code) return stay(standing, sentences.wrongCode);
  const { entry } = place.node;
  if (entry.kind !== 'operation') throw new Error(`${place.node.file} previews but is no operation`);
  const outcome = await context.run(entry.runs, input, preview, preview.code);
  if (outcome.fresh !== undefined) {
    const again = { kind: 'preview', preview: outcome.fresh, input } as const;
    return { ...show(tree, place, again, context, outcome.text), ran: true };
  }
  const menu = menuOf(tree, place, context);
  const told = { kind: 'text', text: outcome.text, page: 0, settled: true } as const;
  return { ...show(tree, menu, told, context), ran: true };
}

function turnPage(standing: Standing, by: 1 | -1): Turn {
  const { tree, place, screen, context } = standing;
  if (!('page' in screen)) return stay(standing, sentences.noMorePages);
  const page = screen.page + by;
  if (page < 0 || page >= pagesOf(place, screen, context)) return stay(standing, sentences.noMorePages);
  return show(tree, place, { ...screen, page }, context);
}

async function goBack(standing: Standing): Promise<Turn> {
  const { tree, place, screen, context } = standing;
  if (screen.kind === 'text' && screen.settled) return arrive(tree, place, context);
  if (place.steps.length === 0) return stay(standing, sentences.atTop);
  return arrive(tree, stepBack(tree, place, context), context);
}

function stay({ place, screen, context }: Standing, why: string): Turn {
  return { text: render(place, screen, context, why), session: 'same' };
}
