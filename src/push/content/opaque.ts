import * as z from 'zod';

/** What an app adds to a message and gets back as it gave it: a text or a number. */
export type Opaque = string | number;

/** As answers show it. */
export const opaqueSchema = z.union([z.string(), z.number()]);

/** Begins the stored form of a number; no text that is taken in begins with it. */
const NUMBER = '\u0000';

/** Of a request: a text that `text` takes, or a number that comes back as it was. */
export function opaqueOf(text: z.ZodType<string, string>) {
  return z.union([
    text.refine((given) => !given.startsWith(NUMBER), 'must not begin with a NUL'),
    z
      .number()
      .refine(
        (given) => !Number.isInteger(given) || Number.isSafeInteger(given),
        'must be a number that JSON keeps exactly; write a longer one as a text',
      ),
  ]);
}

/** The one column of it holds texts as they are, as it always has. */
export function storeOpaque(opaque: Opaque): string {
  return typeof opaque === 'number' ? `${NUMBER}${JSON.stringify(opaque)}` : opaque;
}

/** What {@link storeOpaque} has stored. */
export function readOpaque(stored: string): Opaque {
  return stored.startsWith(NUMBER) ? Number(stored.slice(NUMBER.length)) : stored;
}
