import * as z from 'zod';

const fourDigits = z.string().regex(/^\d{4}$/);

/**
 * What the platform says would happen. `lines` is all that the person reads before confirming; `hash` covers them,
 * the user, the operation, the input and the state of the object, and a confirmation is bound to it.
 * `code` is there when the risk is `high`. `expiresAt` is Unix milliseconds.
 */
export const preview = z.object({
  id: z.uuid(),
  hash: z.string(),
  risk: z.enum(['low', 'high']),
  lines: z.array(z.string()).min(1).max(20),
  code: fourDigits.optional(),
  expiresAt: z.int(),
});
export type Preview = z.infer<typeof preview>;

/** The body of `POST /v1/operations/<name>` for a change: the same input, the preview that was confirmed, the code if one was asked. */
export const confirmation = z.strictObject({
  input: z.unknown(),
  preview: z.strictObject({ id: z.uuid(), hash: z.string().max(100) }),
  code: z.string().max(16).optional(),
});

const refused = z.object({
  state: z.literal('refused'),
  /** One of `reasons`, or `input`; or one that a newer platform has beside them. */
  reason: z.string(),
  message: z.string(),
  /** The fresh state to confirm instead, when the object moved. */
  preview: preview.optional(),
});

/**
 * Every answer of the platform; `state` says which. Bot and platform are updated one after the other: what a newer platform
 * says beside is ignored, and what comes to an answer later is optional. Texts are Chinese and meant for the person on the
 * phone.
 */
export const answer = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('done'),
    output: z.unknown().optional(),
    /** What a list leaves out since it could not be read; see `Unread`. */
    unread: z.array(z.string()).optional(),
    text: z.string().optional(),
  }),
  z.object({ state: z.literal('preview'), preview }),
  z.object({ state: z.literal('accepted'), text: z.string() }),
  refused,
  z.object({ state: z.literal('failed'), message: z.string() }),
  z.object({ state: z.literal('unknown'), message: z.string() }),
  // The platform itself failed: what became of a confirmation is not known from this answer.
  z.object({ state: z.literal('error'), message: z.string() }),
]);
export type Answer = z.infer<typeof answer>;
