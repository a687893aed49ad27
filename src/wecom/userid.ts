import { InputError } from '../errors.ts';

/** A userid (§4.8): 1 to 64 letters, digits and `_-.@`, the first a letter or digit. */
export const USERID = /^[A-Za-z0-9][\w.@-]{0,63}$/;

/** A userid, or the word that stands for every member who can see the app (§4.2). */
export const USERID_OR_ALL = new RegExp(`${USERID.source}|^@all$`);

/** Reads a userid. Throws {@link InputError}. */
export function readUserId(text: string): string {
  if (!USERID.test(text)) throw new InputError('this is no userid');
  return text;
}

/** The form in which userids are compared and stored: WeCom ignores their case (§4.8). */
export function normalizeUserId(userid: string): string {
  return userid.toLowerCase();
}
