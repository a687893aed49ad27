import { InputError } from '../../errors.ts';
import type { Content } from '../content/content.ts';
import type { Variables } from '../content/message.ts';

/** One version of a template; `createdAt` is ISO 8601, `author` the app that wrote it. */
export interface Template {
  readonly key: string;
  readonly version: number;
  readonly title: string;
  readonly content: Content;
  readonly author: string;
  readonly createdAt: string;
}

/** Content as JSON is at most this long. */
export const MAX_CONTENT_BYTES = 4048;

/** Reads the key of a template: at most 32 letters, digits and `. _ -`. Throws an InputError. */
export function readTemplateKey(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(text)) {
    throw new InputError('the key of a template has 1 to 32 letters, digits, dots, _ or -');
  }
  return text;
}

/** Throws an InputError that names every one of `names` which neither has a value nor is `given` to each receiver later. */
export function checkVariables(
  names: ReadonlySet<string>,
  variables: Variables,
  given: readonly string[] = [],
): void {
  const missing = [...names].filter((name) => !Object.hasOwn(variables, name) && !given.includes(name));
  if (missing.length === 0) return;
  throw new InputError(`variables: ${missing.join(', ')} missing; the template needs a value for each`);
}
