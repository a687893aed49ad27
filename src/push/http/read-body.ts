import { InputError } from '../../errors.ts';

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
