import { halfWidth, plainDigits } from '../words/numbers.ts';
import { sentences } from '../words/sentences.ts';
import type { Listing } from '../words/text.ts';
import type { Answers, Context } from './context.ts';

/** One line of a list. `key` is what the number stands for; `name`, if any, may be typed instead of the number. */
export type Option = string | { readonly key: string; readonly label: string; readonly name?: string };

/** A dynamic node: its options come from the platform when the screen is shown. The answer is the option itself. */
export interface Choice<T, A> {
  readonly question: string;
  /** Throws `Unavailable`. A method, so that a question may name answers that its own entry asked before. */
  load(context: Context, answers: A): Promise<Listing<T>>;
}

/** Says why a typed answer is not accepted, in one sentence. */
export interface Problem {
  readonly problem: string;
}

/** A question answered in free text. `parse` gets the trimmed line and answers the value or a `Problem`. */
export interface FreeText<T> {
  readonly question: string;
  parse(typed: string): T | Problem;
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
  load: (context: Context, answers: A) => Promise<Listing<T>>,
): Choice<T, A> {
  return { question, load };
}

/** Asks for a line of text of at most `max` characters (200), matching `pattern` if there is one. */
export function text(
  question: string,
  { max = 200, pattern }: { max?: number; pattern?: RegExp } = {},
): FreeText<string> {
  return {
    question,
    parse: (typed) => {
      if (typed.length === 0 || typed.length > max) return { problem: sentences.textLength(max) };
      return pattern === undefined || pattern.test(typed) ? typed : { problem: sentences.textPattern };
    },
  };
}

/**
 * Asks for a whole number from `min` to `max`. `３`, `③`, `三` and `3.` are 3; `1e1`, `1_0` and `٣` are no numbers. Zero is
 * typed `00`, since `0` goes back on other screens; the question says so.
 */
export function integer(question: string, { min, max }: { min: number; max: number }): FreeText<number> {
  return {
    question: `${question}${sentences.range(min, max)}`,
    parse: (typed) => {
      const digits = plainDigits(typed);
      const value = /^(00?|-?[1-9][0-9]{0,14})$/.test(digits) ? Number(digits) : NaN;
      return value >= min && value <= max ? value : { problem: sentences.integerRange(min, max) };
    },
  };
}

/** Asks for a TCP port. */
export function port(question: string): FreeText<number> {
  return integer(question, { min: 1, max: 65535 });
}

/** Asks for a code of exactly `digits` digits (6); it stays a string, leading zeros and all. */
export function code(question: string, { digits = 6 }: { digits?: number } = {}): FreeText<string> {
  return {
    question,
    parse: (typed) => {
      const value = halfWidth(typed);
      return /^[0-9]+$/.test(value) && value.length === digits
        ? value
        : { problem: sentences.codeDigits(digits) };
    },
  };
}
