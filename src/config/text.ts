import { InputError } from '../errors.ts';

/** What `read` answers; an InputError that it throws goes on from `subject`. */
export function about<T>(subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${subject} ${error.message}`) : error;
  }
}

/** Takes what the pattern matches; `expected` ends the sentence "must be …". */
export function matching(pattern: RegExp, expected: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InputError(`must be ${expected}`);
    return text;
  };
}

/** Takes a whole number from `min` to `max`, written in plain digits. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new InputError(`must be a whole number from ${min} to ${max}, not "${text}"`);
    }
    return number;
  };
}

/** The path of a file or folder. */
export const path = matching(/\S/, 'a path');
