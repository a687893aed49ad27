import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { templateContentSchema } from '../content/content-schema.ts';
import type { Variables } from '../content/message.ts';
import { createTexts } from '../content/text-schema.ts';

export const version = z.int().min(1).max(2_000_000_000);

/** What a list of templates or versions shows of each; `createdAt` is ISO 8601, `author` the app that wrote it. */
export const templateLine = z.object({
  key: z.string(),
  version,
  title: z.string(),
  author: z.string(),
  createdAt: z.string(),
});
export type TemplateLine = z.infer<typeof templateLine>;

/** One version of a template. */
export const templateView = templateLine.extend({ content: templateContentSchema });
export type Template = z.infer<typeof templateView>;

/** A template as an app writes it. */
export const newTemplate = z.strictObject({
  title: createTexts('literal').chars(100),
  content: templateContentSchema,
  /** The live version that it replaces, 0 for none; without it, whichever there is. */
  version: z.int().min(0).max(2_000_000_000).optional(),
});
export type NewTemplate = z.infer<typeof newTemplate>;

/** Content as JSON is at most this long. */
export const MAX_CONTENT_BYTES = 4048;

/** Throws an InputError that names every one of `names` which neither has a value nor is `given` to each receiver later. */
export function checkVariables(
  names: ReadonlySet<string>,
  variables: Variables,
  given: readonly string[] = [],
): void {
  const missing = [...names].filter((name) => !Object.hasOwn(variables, name) && !given.includes(name));
  if (missing.length === 0) return;
  throw new InputError(`variables: ${missing.join(', ')} missing; the template needs a value for each`);
}
