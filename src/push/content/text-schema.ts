import * as z from 'zod';
import { withoutPlaces } from './fill.ts';

/** Whether strings are checked as they are, or as a template's, whose `${NAME}`s have no length and no form yet. */
export type Form = 'literal' | 'template';

/** Schemas of strings for one form. Lengths are at most `max`; an empty string is none. */
export type Texts = ReturnType<typeof createTexts>;

/** WeCom shows no character that is not one (40033), and MySQL stores none. */
const SOUND = 'must not hold half characters (lone surrogates)';

/** Makes the schemas of strings for one form. */
export function createTexts(form: Form) {
  const settled = form === 'literal' ? (text: string) => text : withoutPlaces;
  const isOpen = (text: string) => settled(text) !== text;
  const limited = (max: number, unit: string, length: (text: string) => number) =>
    z
      .string()
      .overwrite(shown)
      .refine((text) => isOpen(text) || /\S/.test(text), 'must not be empty')
      .refine((text) => length(settled(text)) <= max, `must be at most ${max} ${unit}`)
      .refine((text) => text.isWellFormed(), SOUND)
      .meta({ description: `At most ${max} ${unit}.` });
  /** At most `max` bytes of UTF-8. */
  const bytes = (max: number) => limited(max, 'bytes of UTF-8', Buffer.byteLength);
  /** At most `max` bytes that look like `pattern`; `about` says how in words. */
  const like = (pattern: RegExp, max: number, about: string) =>
    bytes(max).refine((text) => isOpen(text) || pattern.test(text), about);
  return {
    bytes,
    like,
    /** At most `max` characters, that is code points. */
    chars: (max: number) => limited(max, 'characters', (text) => [...text].length),
    /** An address that begins with http:// or https://, at most 2048 bytes (§4.2). */
    url: like(/^https?:\/\/[^\s/]\S*$/i, 2048, 'must be an address that begins with https:// or http://'),
  };
}

/** Controls but line feed and tab, and the signs that turn the direction of what follows, or stand for a line end of their own. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A text with nothing hidden in it: each control character but line feed and tab, each mark of direction and each other line
 * separator is one U+FFFD (�), and CR LF one line feed. What is shown so stays as it is when it comes again.
 */
export function shown(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(HIDDEN, '\ufffd');
}
