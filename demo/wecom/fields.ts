import { ApiError } from './api-error.ts';

/** A JSON object, not yet looked into. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; throws 40058 for anything else. */
export function readFields(value: unknown, detail?: string | number): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError(40058, typeof detail === 'string' ? detail : undefined);
  }
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

/** The value as a text that is not empty; throws 44004 for none, 40058 for what is no text. */
export function required(value: unknown): string {
  if (value === undefined || value === '') throw new ApiError(44004);
  if (typeof value !== 'string') throw new ApiError(40058);
  return value;
}

/** The value as a text, empty when it is missing; throws 40058 for what is no text. */
export function optional(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new ApiError(40058);
  return value;
}

/** The value as a list of objects, empty when it is missing; throws 40058 for anything else, or for more than `most`. */
export function listOf(value: unknown, most: number): readonly Fields[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > most) throw new ApiError(40058);
  return value.map((entry) => readFields(entry));
}
