import { ConfigError, InputError } from '../errors.ts';

/** What `read` answers; an InputError that it throws goes on from `subject`, and so does each problem of a ConfigError. */
export function about<T>(subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${subject} ${error.message}`);
    if (error instanceof ConfigError) {
      throw new ConfigError(error.problems.map((problem) => `${subject} ${problem}`));
    }
    throw error;
  }
}

/** What `read` answers for each. Throws the InputError of one, or one ConfigError with the problems of all. */
export function readEach<T, R>(items: readonly T[], read: (item: T) => R): readonly R[] {
  const problems: string[] = [];
  const values = items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (error) {
      problems.push(...problemsOf(error));
      return [];
    }
  });
  const [only, second] = problems;
  if (second !== undefined) throw new ConfigError(problems);
  if (only !== undefined) throw new InputError(only);
  return values;
}

/** The problems that an error tells of; any other error is thrown on. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof InputError) return [error.message];
  throw error;
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
