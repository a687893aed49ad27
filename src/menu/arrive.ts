import { type Context, Unavailable } from './context.ts';
import { choiceScreen, loadOptions } from './options.ts';
import { cutToBytes } from './pages.ts';
import { type Place, startOf } from './place.ts';
import { isChoice } from './question.ts';
import { render } from './render.ts';
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

const MAX_TEXT_BYTES = 32_768;

/** The first screen, and no session when not even that can be shown. */
export async function firstScreen(tree: Tree, context: Context, notice?: string): Promise<Turn> {
  return arrive(tree, startOf(tree), context, notice).catch((error: unknown) => {
    if (error instanceof Unavailable) return { text: error.message, session: null };
    throw error;
  });
}

/** Shows what stands at a place: a list, a question, a menu, a result or a preview. Throws `Unavailable`. */
export async function arrive(tree: Tree, place: Place, context: Context, notice?: string): Promise<Turn> {
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

/** The turn that leads to a screen. */
export function show(tree: Tree, place: Place, screen: Screen, context: Context, notice?: string): Turn {
  const session = { generation: tree.generation, steps: place.steps, screen };
  return { text: render(place, screen, context, notice), session };
}
