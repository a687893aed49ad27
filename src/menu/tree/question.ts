import { halfWidth, plainDigits } from '../words/numbers.ts';
import { sentences } from '../words/sentences.ts';
import type { Listing } from '../words/text.ts';
import type { Answers, EntryContext } from './context.ts';

/** One line of a list. `key` is what the number stands for; `name`, if any, may be typed instead of the number. */
export type Option = string | { readonly key: string; readonly label: string; readonly name?: string };

/** A dynamic node: its options come from the platform when the screen is shown. The answer is the option itself. */
export interface Choice<T, A> {
  readonly question: string;
  /** Throws `Unavailable`. A method, so that a question may name answers that its own entry asked before. */
  load(context: EntryContext, answers: A): Promise<Listing<T>>;
}

/** Says why a typed answer is not accepted, in one sentence. */
export interface Problem {
  readonly problem: string;
}

/** What the standard questions accept, as data: whoever has it needs nothing of the file that asks. */
export type Form =
  | { readonly kind: 'text'; readonly max: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'code'; readonly digits: number };

/** A question answered in free text. `parse` gets the trimmed line and answers the value or a `Problem`. */
export interface FreeText<T> {
  readonly question: string;
  readonly form?: Form | undefined;
  parse(typed: string): T | Problem | Promise<T | Problem>;
}

export type Question<T = unknown, A = Answers> = Choice<T, A> | FreeText<T>;

/** Narrows to a question that shows a list. */
export function isChoice<T, A>(question: Question<T, A>): question is Choice<T, A> {
  return 'load' in question;
}

/** Narrows what a `parse` answered. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value;
}

/** Asks to pick one of what `load` answers. */
export function choice<T extends Option, A>(
  question: string,
  load: (context: EntryContext, answers: A) => Promise<Listing<T>>,
): Choice<T, A> {
  return { question, load };
}

/** Asks in one of the standard forms. */
export function inForm(question: string, form: Form): FreeText<string | number> {
  return { question, form, parse: (typed) => parseForm(form, typed) };
}

function parseForm(form: Form, typed: string): string | number | Problem {
  switch (form.kind) {
    case 'text': {
      const fits = typed.length > 0 && typed.length <= form.max;
      return fits ? typed : { problem: sentences.textLength(form.max) };
    }
    case 'integer': {
      const digits = plainDigits(typed);
      const value = /^(00?|-?[1-9][0-9]{0,14})$/.test(digits) ? Number(digits) : NaN;
      const { min, max } = form;
      return value >= min && value <= max ? value : { problem: sentences.integerRange(min, max) };
    }
    case 'code': {
      const value = halfWidth(typed);
      const fits = /^[0-9]+$/.test(value) && value.length === form.digits;
      return fits ? value : { problem: sentences.codeDigits(form.digits) };
    }
  }
}

/** Asks for a line of text of at most `max` characters (200), matching `pattern` if there is one. */
export function text(
  question: string,
  { max = 200, pattern }: { max?: number; pattern?: Pick<RegExp, 'test'> } = {},
): FreeText<string> {
  const form = { kind: 'text', max } as const;
  if (pattern === undefined) return inForm(question, form) as FreeText<string>;
  // No form has a pattern: it may take for ever, so it stays with the file that asks.
  const parse = (typed: string) => {
    const value = parseForm(form, typed) as string | Problem;
    return isProblem(value) || pattern.test(value) ? value : { problem: sentences.textPattern };
  };
  return { question, parse };
}

/**
 * Asks for a whole number from `min` to `max`. `３`, `③`, `三` and `3.` are 3; `1e1`, `1_0` and `٣` are no numbers. Zero is
 * typed `00`, since `0` goes back on other screens; the question says so.
 */
export function integer(question: string, { min, max }: { min: number; max: number }): FreeText<number> {
  const ranged = `${question}${sentences.range(min, max)}`;
  return inForm(ranged, { kind: 'integer', min, max }) as FreeText<number>;
}

/** Asks for a TCP port. */
export function port(question: string): FreeText<number> {
  return integer(question, { min: 1, max: 65535 });
}

/** Asks for a code of exactly `digits` digits (6); it stays a string, leading zeros and all. */
export function code(question: string, { digits = 6 }: { digits?: number } = {}): FreeText<string> {
  return inForm(question, { kind: 'code', digits }) as FreeText<string>;
}
