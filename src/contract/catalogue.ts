import * as z from 'zod';

/** The path after `/v1/`, and what the token of a question for the catalogue is made for. */
export const CATALOGUE = 'catalogue';

const jsonSchema = z.record(z.string(), z.unknown());

/** What the bot knows of an operation. `input` and `output` are JSON Schema (draft 2020-12). */
const operation = z.object({
  name: z.string().max(100),
  kind: z.enum(['read', 'change']),
  title: z.string(),
  input: jsonSchema,
  output: jsonSchema.optional(),
});
export type CatalogueEntry = z.infer<typeof operation>;

/** What the bot asks with: the generation that it has, if any. */
export const catalogueQuestion = z.object({ known: z.string().max(64).optional() });

/**
 * What the platform can do. `generation` names the operations, equal on every replica that has the same files; `policy`
 * names what their rights stand on. `operations` is left out where the bot has that generation already.
 */
export const catalogue = z.object({
  generation: z.string(),
  policy: z.string(),
  /** What a later platform has besides, of a kind that is not known here, is left out. */
  operations: z
    .array(z.unknown())
    .transform((all) => all.flatMap((each) => operation.safeParse(each).data ?? []))
    .optional(),
});
export type Catalogue = z.infer<typeof catalogue>;
