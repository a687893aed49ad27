import { InputError, Refused } from '../errors.ts';
import { plainLine } from '../plain-text.ts';
import { hideAssigned } from './assigned-secrets.ts';
import { TargetFailed } from './target-failed.ts';

/** More than anybody is shown of one value: where it ends nothing of a secret that it cuts in two is left. */
const LOOKED_AT = 8000;

/** A text of a cluster or a database as anybody may have it: one plain line, without the secrets in it. */
function ours(text: string): string {
  return plainLine(hideAssigned(text.slice(0, LOOKED_AT)));
}

/** The same value with every text in it, at any depth, made ours; what a list names as unread too. */
function oursDeep(value: unknown): unknown {
  if (typeof value === 'string') return ours(value);
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, oursDeep(each)]));
  }
  const copy = value.map(oursDeep);
  return 'unread' in value ? Object.assign(copy, { unread: oursDeep(value.unread) }) : copy;
}

/** What an operation answers, or the sentence with which it fails, in plain lines and without secrets. */
export async function inPlainLines<T>(work: Promise<T>): Promise<T> {
  try {
    return oursDeep(await work) as T;
  } catch (error) {
    const isSaid = error instanceof Refused || error instanceof InputError || error instanceof TargetFailed;
    if (isSaid) error.message = ours(error.message);
    throw error;
  }
}

/** Why a target failed, as the log may have it: the error with no secret in its words, its stack and its causes. */
export function forLog<E extends Error>(error: E): E {
  error.message = hideAssigned(error.message);
  if (error.stack !== undefined) error.stack = hideAssigned(error.stack);
  if (error.cause instanceof Error) forLog(error.cause);
  return error;
}
