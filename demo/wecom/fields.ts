import { ApiError, type Errcode } from './api-error.ts';

/** A JSON object, not yet looked into. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; throws 40058 for anything else. */
export function readFields(value: unknown, detail?: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ApiError(40058, detail);
  return value as Fields;
}

/** The body of a call as an object; throws 40058 when it is no JSON or no object. */
export function readJson(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new ApiError(40058, 'not JSON');
  }
  return readFields(value);
}

/** The value as a text that is not empty; throws `errcode` for none, 40058 for what is no text. */
export function required(value: unknown, errcode: Errcode = 44004): string {
  if (isMissing(value) || value === '') throw new ApiError(errcode);
  if (typeof value !== 'string') throw new ApiError(40058);
  return value;
}

/** The same, of at most `most` bytes; throws `errcode` for a longer one, too. */
export function requiredWithin(value: unknown, most: number, errcode: Errcode): string {
  const text = required(value, errcode);
  if (Buffer.byteLength(text) > most) throw new ApiError(errcode);
  return text;
}

/** The value as a text, empty when it is missing; throws 40058 for what is no text. */
export function optional(value: unknown): string {
  if (isMissing(value)) return '';
  if (typeof value !== 'string') throw new ApiError(40058);
  return value;
}

/** The value as an object, an empty one when it is missing; throws 40058 for anything else. */
export function block(value: unknown): Fields {
  return isMissing(value) ? {} : readFields(value);
}

/** The value as a list of objects, empty when it is missing; throws 40058 for anything else, `errcode` for more than `most`. */
export function listOf(value: unknown, most: number, errcode: Errcode = 40058): readonly Fields[] {
  if (isMissing(value)) return [];
  if (!Array.isArray(value)) throw new ApiError(40058);
  if (value.length > most) throw new ApiError(errcode);
  return value.map((entry) => readFields(entry));
}

/** Clients whose language writes every field of a type send `null` for what they leave out. */
function isMissing(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
