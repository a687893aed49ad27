import { quoteChoices } from '../../plain-text.ts';
import { type Context, unlessUnavailable } from '../tree/context.ts';
import { isChoice } from '../tree/question.ts';
import type { Tree } from '../tree/tree.ts';
import { sentences } from '../words/sentences.ts';
import { clip, cutToBytes } from '../words/text.ts';
import { choiceScreen, loadOptions } from './options.ts';
import { type Position, startOf } from './position.ts';
import { render } from './render.ts';
import type { Screen, Session } from './session.ts';

/**
 * What one input comes to. `session` is where the user stands after it: `same` leaves everything as it was, path and
 * time to live too; `null` ends the session. `ran` says that a change was asked for, so the turn must not be taken again.
 * `receipts` are the ids of the operations whose outcome the text tells. `refused` says that a right was missing, or that
 * a preview was confirmed too late or with a wrong code.
 */
export interface Turn {
  readonly text: string;
  readonly session: Session | null | 'same';
  readonly ran?: true;
  readonly receipts?: readonly string[] | undefined;
  readonly refused?: Refused | undefined;
}

/** What the menu refuses without asking the platform; `at` is the file of an entry, or the path of the user. */
export interface Refused {
  readonly kind: 'hidden' | 'rights' | 'expired' | 'code';
  readonly at: string;
}

const MAX_TEXT_BYTES = 32_768;

/** The first screen, and no session when not even that can be shown. */
export function firstScreen(tree: Tree, context: Context, notice?: string): Promise<Turn> {
  const shown = showScreen(startOf(tree), context, notice);
  return unlessUnavailable(shown, (text) => ({ text: quoteChoices(text), session: null }));
}

/** Shows what stands at a position: a list, a question, a menu, a result or a preview. Throws `Unavailable`. */
export async function showScreen(position: Position, context: Context, notice?: string): Promise<Turn> {
  return show(position, await screenAt(position, context), context, notice);
}

async function screenAt(position: Position, context: Context): Promise<Screen> {
  const question = position.asks?.question;
  if (question !== undefined) {
    if (!isChoice(question)) return { kind: 'question' };
    return choiceScreen(await loadOptions(position, context));
  }
  const { entry } = position.node;
  switch (entry.kind) {
    case 'folder':
      return { kind: 'menu', page: 0 };
    case 'action': {
      return textScreen(await entry.run(context, position.answers), false);
    }
    case 'operation': {
      const input = await entry.input?.(position.answers);
      return { kind: 'preview', preview: await context.preview(entry.runs, input), input };
    }
  }
}

/** The screen of a result, of which the session keeps 32 KiB. `settled`: the steps already stand at the menu to go back to. */
export function textScreen(text: string, settled: boolean): Screen {
  const kept = cutToBytes(text, MAX_TEXT_BYTES);
  const shown = kept === text ? text : `${kept}\n${sentences.tooLong}`;
  return { kind: 'text', text: shown, page: 0, settled };
}

/** The turn that leads to a screen, with a notice above it. */
export function show(position: Position, screen: Screen, context: Context, notice?: string): Turn {
  const noted = notice === undefined ? screen : withNotice(screen, notice, context);
  const { tree, steps } = position;
  const session = { generation: tree.generation, steps, screen: noted };
  return { text: render(position, noted, context, 'page' in noted ? undefined : notice), session };
}

/** A list may have a notice of its own, which goes on standing there. */
function withNotice(screen: Screen, notice: string, { replyBytes }: Context): Screen {
  if (!('page' in screen)) return screen;
  const notices = screen.notice === undefined ? notice : `${notice}\n${screen.notice}`;
  return { ...screen, notice: clip(notices, replyBytes) };
}
