import type { Context } from '../tree/context.ts';
import { isChoice, isProblem, type Option, type Question } from '../tree/question.ts';
import { sentences } from '../words/sentences.ts';
import { halfWidth, readNumber } from './input.ts';
import { findOption, loadOptions, pinsNamed, pinsOf } from './options.ts';
import { type Position, stepFrom } from './position.ts';
import type { Pin, Step } from './session.ts';

/** What one input comes to: where it leads, or why not; `fresh` is the list to show instead of one that changed. */
export type Resolved =
  | { readonly next: Position }
  | { readonly problem: string; readonly fresh?: readonly Option[] };

/**
 * Resolves one input at a place. `pins` is the list the user looked at; without it (in a jump) a number means the
 * list as it is now. An option is loaded again before it is taken, so what is gone or no longer allowed is not chosen.
 */
export async function resolve(
  position: Position,
  typed: string,
  context: Context,
  pins?: readonly Pin[],
): Promise<Resolved> {
  const question = position.asked?.[1];
  const found = question === undefined ? readEntry(typed) : await readAnswer(position, typed, context, pins);
  if ('problem' in found) return found;
  const next = stepFrom(position, found, context);
  return next === undefined ? { problem: wrongNumber(typed) } : { next };
}

type Found = Step | Exclude<Resolved, { readonly next: Position }>;

function readEntry(typed: string): Found {
  const number = readNumber(halfWidth(typed).trim());
  if (number === undefined) return { problem: wrongNumber(typed) };
  return { kind: 'entry', typed: `${number}`, number };
}

async function readAnswer(
  position: Position,
  typed: string,
  context: Context,
  pins?: readonly Pin[],
): Promise<Found> {
  const question = position.asked?.[1] as Question;
  if (isChoice(question)) return pick(position, halfWidth(typed).trim(), context, pins);
  const value = question.parse(typed);
  return isProblem(value) ? value : { kind: 'answer', typed, value, label: String(value) };
}

async function pick(
  position: Position,
  word: string,
  context: Context,
  pins?: readonly Pin[],
): Promise<Found> {
  // A wrong number costs no call to the platform.
  if (pins !== undefined && named(pins, word).length !== 1) return { problem: why(pins, word) };
  const options = await loadOptions(position, context);
  const shown = pins ?? pinsOf(options);
  const pin = named(shown, word)[0];
  if (pin === undefined || named(shown, word).length > 1) return { problem: why(shown, word) };
  const option = findOption(options, pin.key);
  if (option === undefined) return { problem: sentences.gone(pin.label), fresh: options };
  const label = typeof option === 'string' ? option : (option.name ?? option.label);
  return { kind: 'answer', typed: word, value: option, label };
}

function named(pins: readonly Pin[], word: string): readonly Pin[] {
  const number = readNumber(word);
  if (number === undefined) return pinsNamed(pins, word);
  const pin = pins[number - 1];
  return pin === undefined ? [] : [pin];
}

function why(pins: readonly Pin[], word: string): string {
  return named(pins, word).length > 1 ? sentences.ambiguous(word) : wrongNumber(word);
}

function wrongNumber(typed: string): string {
  const line = halfWidth(typed).trim();
  return readNumber(line) === undefined ? sentences.notANumber : sentences.noSuchNumber(line);
}
