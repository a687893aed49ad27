import { InputError, Refused } from '../../errors.ts';
import { plainLine } from '../../plain-text.ts';
import { TargetFailed } from '../target-failed.ts';

/** The same value with every text in it, at any depth, made a plain line; what a list names as unread too. */
function plainDeep(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value);
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainDeep(each)]));
  }
  const copy = value.map(plainDeep);
  return 'unread' in value ? Object.assign(copy, { unread: plainDeep(value.unread) }) : copy;
}

/** What an operation answers, or the sentence with which it fails, in plain lines. */
export async function inPlainLines<T>(work: Promise<T>): Promise<T> {
  try {
    return plainDeep(await work) as T;
  } catch (error) {
    const isSaid = error instanceof Refused || error instanceof InputError || error instanceof TargetFailed;
    if (isSaid) error.message = plainLine(error.message);
    throw error;
  }
}
