import type { ZodType } from 'zod';
import { InputError } from '../../errors.ts';

/** Reads what came with a schema; `what` stands for the whole in the sentence. Throws an InputError that names the first wrong field. */
export function readInput<T>(schema: ZodType<T>, value: unknown, what: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const { path = [], message = 'is malformed' } = read.error.issues[0] ?? {};
  throw new InputError(`${path.length === 0 ? what : path.join('.')}: ${message}`);
}

/** Whether a Content-Type header names this type. */
export function isContentType(header: string, type: string): boolean {
  return header.split(';')[0]?.trim().toLowerCase() === type;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses JSON in UTF-8; throws an InputError. */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new InputError('The body is not JSON in UTF-8.');
  }
}
