import * as z from 'zod';
import { InputError } from '../../errors.ts';

type Issue = z.core.$ZodRawIssue;

/** What JSON calls the types that zod names otherwise. */
const nouns: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/**
 * Reads a value with a schema; `what` stands for the whole in the sentence, nothing when it is empty. Throws an
 * InputError that names the first wrong field, and what is wrong with it.
 */
export function readValue<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const read = schema.safeParse(value, { error: sayPlainly });
  if (read.success) return read.data;
  const { path = [], message = 'is malformed' } = read.error.issues[0] ?? {};
  const where = path.length === 0 ? what : path.join('.');
  throw new InputError(where === '' ? message : `${where}: ${message}`);
}

/** The sentence of an issue whose schema has none of its own. */
function sayPlainly(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      if (issue.input === undefined) return 'is missing';
      return `must be ${nouns[issue.expected] ?? issue.expected}, and is ${nounOf(issue.input)}`;
    }
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      const unknown = issue.keys.map((key) => `"${key}"`).join(', ');
      return `has no field ${unknown}; ${known.length === 0 ? 'this route takes none' : `its fields are ${known.join(', ')}`}`;
    }
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'invalid_union':
      return Array.isArray(issue.options) ? `must be one of ${issue.options.join(', ')}` : undefined;
    case 'invalid_key':
      return issue.issues[0]?.message;
    case 'too_big':
      return `must ${issue.origin === 'array' ? 'have' : 'be'} at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'too_small':
      return `must ${issue.origin === 'array' ? 'have' : 'be'} at least ${issue.minimum}${unitOf(issue.origin)}`;
    default:
      return undefined;
  }
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters long' : '';
}

function nounOf(value: unknown): string {
  if (value === null) return 'null';
  if (Number.isNaN(value)) return 'no number';
  return nouns[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}
