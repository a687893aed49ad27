import { InputError } from '../errors.ts';

/** Reads a userid (§4.8): 1 to 64 letters, digits and `_-.@`, the first a letter or digit. Throws {@link InputError}. */
export function readUserId(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_\-.@]{0,63}$/.test(text)) throw new InputError('this is no userid');
  return text;
}

/** The form in which userids are compared and stored: WeCom ignores their case (§4.8). */
export function normalizeUserId(userid: string): string {
  return userid.toLowerCase();
}
