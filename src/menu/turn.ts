import { answer } from './answer.ts';
import { type Context, Unavailable } from './context.ts';
import { type Line, readFreeText, readLine } from './line.ts';
import { choiceScreen, loadOptions } from './options.ts';
import { cutToBytes } from './pages.ts';
import { findPlace, menuOf, type Place, startOf, stepBack, stepFrom } from './place.ts';
import { isChoice } from './question.ts';
import { pagesOf, render } from './render.ts';
import { sentences } from './sentences.ts';
import type { Screen, Session } from './session.ts';
import type { Tree } from './tree.ts';

/**
 * What a line comes to. `session` is where the user stands after it: `same` leaves everything as it was, path and
 * time to live too; `null` ends the session. `ran` says that a change was asked for, so the turn must not be taken again.
 */
export interface Turn {
  readonly text: string;
  readonly session: Session | null | 'same';
  readonly ran?: true;
}

interface Standing {
  readonly tree: Tree;
  readonly place: Place;
  readonly screen: Screen;
  readonly context: Context;
}

const MAX_TEXT_BYTES = 32_768;

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
  if ('step' in answered) {
    const next = stepFrom(place, answered.step, context);
    if (next === undefined) return stay(standing, sentences.notANumber);
    return arrive(tree, next, context);
  }
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

/** Every step is checked as if it were typed; a jump that fails changes nothing, and none reaches beyond a preview. */
async function jump(
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
    const next = 'step' in answered ? stepFrom(place, answered.step, context) : undefined;
    if (next === undefined) {
      const why = 'problem' in answered ? answered.problem : sentences.notANumber;
      return fail(sentences.jumpFailed(index + 1, why));
    }
    place = next;
  }
  return arrive(tree, place, context).catch(refusal(fail));
}

function refusal(fail: (why: string) => Promise<Turn>): (error: unknown) => Promise<Turn> {
  return (error) => {
    if (error instanceof Unavailable) return fail(error.message);
    throw error;
  };
}

/** The first screen, and no session when not even that can be shown. */
async function firstScreen(tree: Tree, context: Context, notice?: string): Promise<Turn> {
  return arrive(tree, startOf(tree), context, notice).catch((error: unknown) => {
    if (error instanceof Unavailable) return { text: error.message, session: null };
    throw error;
  });
}

/** Shows what stands at a place: a list, a question, a menu, a result or a preview. Throws `Unavailable`. */
async function arrive(tree: Tree, place: Place, context: Context, notice?: string): Promise<Turn> {
  return show(tree, place, await screenAt(place, context), context, notice);
}

async function screenAt(place: Place, context: Context): Promise<Screen> {
  const question = place.asked?.[1];
  if (question !== undefined) {
    if (!isChoice(question)) return { kind: 'question' };
    return choiceScreen(await loadOptions(place, context));
  }
  const { entry } = place.node;
  switch (entry.kind) {
    case 'folder':
      return { kind: 'menu', page: 0 };
    case 'action': {
      const text = await entry.run(context, place.answers);
      const kept = cutToBytes(text, MAX_TEXT_BYTES);
      return {
        kind: 'text',
        text: kept === text ? text : `${kept}\n${sentences.tooLong}`,
        page: 0,
        settled: false,
      };
    }
    case 'operation': {
      const input = entry.input(place.answers);
      return { kind: 'preview', preview: await context.preview(entry.runs, input), input };
    }
  }
}

function show(tree: Tree, place: Place, screen: Screen, context: Context, notice?: string): Turn {
  const session = { generation: tree.generation, steps: place.steps, screen };
  return { text: render(place, screen, context, notice), session };
}

function stay({ place, screen, context }: Standing, why: string): Turn {
  return { text: render(place, screen, context, why), session: 'same' };
}
