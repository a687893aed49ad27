import type { Context } from '../tree/context.ts';
import { type FreeText, isChoice, isProblem, type Option } from '../tree/question.ts';
import { plainDigits } from '../words/numbers.ts';
import { sentences } from '../words/sentences.ts';
import { clip } from '../words/text.ts';
import type { Answer } from './input.ts';
import { findOption, loadOptions, pinsNamed, pinsOf } from './options.ts';
import { type Position, stepFrom } from './position.ts';
import type { Refused } from './screen.ts';
import type { Pin, Step } from './session.ts';

/** What a name may take of a sentence. */
const NAME_BYTES = 60;

/** What one answer comes to: where it leads, or why not; `fresh` is the list to show instead of one that changed. */
export type Resolved =
  | { readonly next: Position }
  | { readonly problem: string; readonly fresh?: readonly Option[]; readonly refused?: Refused };

/**
 * Resolves one answer at a position. `pins` is the list the user looked at; without it (in a jump) a number means the
 * list as it is now. An entry that its user may not see is answered like one that is not there, and `refused` names it. An option is loaded again before it is taken, so what is gone or no longer allowed is not chosen.
 */
export async function resolve(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Resolved> {
  const found = await findStep(position, answer, context, pins);
  if ('problem' in found) return found;
  const next = stepFrom(position, found, context);
  if (next !== undefined) return { next };
  const hidden = found.kind === 'entry' ? position.node.children.get(found.number) : undefined;
  const refused = hidden && { refused: { kind: 'hidden', at: hidden.file } as const };
  return { problem: wrongAnswer(answer), ...refused };
}

type Found = Step | Exclude<Resolved, { readonly next: Position }>;

async function findStep(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Found> {
  const question = position.asks?.question;
  if (question === undefined) return readEntry(answer);
  return isChoice(question) ? pick(position, answer, context, pins) : parse(question, answer);
}

function readEntry(answer: Answer): Found {
  if (answer.kind === 'text') return { problem: wrongAnswer(answer) };
  return { kind: 'entry', typed: `${answer.number}`, number: answer.number };
}

/** The path keeps a number in plain digits, however it was typed, and free text as it was typed. */
function parse(question: FreeText<unknown>, { text }: Answer): Found {
  const value = question.parse(text);
  if (isProblem(value)) return value;
  const digits = plainDigits(text);
  const typed = typeof value === 'number' || value === digits ? digits : text;
  return { kind: 'answer', typed, value, label: String(value) };
}

async function pick(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Found> {
  // A wrong number costs no call to the platform.
  if (pins !== undefined && pinsMeant(pins, answer).length !== 1) return { problem: whyNone(pins, answer) };
  const options = await loadOptions(position, context);
  const shown = pins ?? pinsOf(options);
  const [pin, ...others] = pinsMeant(shown, answer);
  if (pin === undefined || others.length > 0) return { problem: whyNone(shown, answer) };
  const option = findOption(options, pin.key);
  if (option === undefined) return { problem: sentences.gone(clip(pin.label, NAME_BYTES)), fresh: options };
  const label = typeof option === 'string' ? option : (option.name ?? option.label);
  const typed = pin === shown[numberOf(answer) - 1] ? `${numberOf(answer)}` : answer.text;
  return { kind: 'answer', typed, value: option, label };
}

/**
 * The lines of a list that an answer may mean. Digits are the number of a line, and a name only where the list has no
 * line of that number; a number written otherwise, such as `一`, may be the number of one line and the name of another.
 */
function pinsMeant(pins: readonly Pin[], answer: Answer): readonly Pin[] {
  const named = pinsNamed(pins, answer.text);
  const numbered = pins[numberOf(answer) - 1];
  if (numbered === undefined) return named;
  if (answer.kind === 'number' && !answer.spelled) return [numbered];
  return [numbered, ...named.filter((pin) => pin !== numbered)];
}

function numberOf(answer: Answer): number {
  return answer.kind === 'number' ? answer.number : 0;
}

function whyNone(pins: readonly Pin[], answer: Answer): string {
  return pinsMeant(pins, answer).length > 1 ? sentences.ambiguous(answer.text) : wrongAnswer(answer);
}

function wrongAnswer(answer: Answer): string {
  return answer.kind === 'number' ? sentences.noSuchNumber(answer.text) : sentences.notANumber;
}
