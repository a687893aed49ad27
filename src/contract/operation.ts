import * as z from 'zod';

/** Risk of a change, which decides what must be typed before it runs: `low` a `1`, `high` the 4-digit code shown. */
export type Risk = 'low' | 'high';

/** What bot and ops agree on of an operation. */
export interface Operation {
  /**
   * A `read` touches nothing: it runs at once and answers `output`. A `change` changes something: it is previewed,
   * confirmed, then run at most once, and answers one line of text. An `acknowledge` writes the platform's own records and
   * nothing else: it runs at once and answers `output`; every user may run it, for operations of their own, and no menu
   * entry does.
   */
  readonly kind: 'read' | 'change' | 'acknowledge';
  readonly title: string;
  /** What is unknown in it is refused: to leave out what somebody asked for could change more than was meant. */
  readonly input: z.ZodType;
  /** What is unknown in it is ignored, and a field that comes later is optional: bot and platform are updated one by one. */
  readonly output?: z.ZodType;
}

/**
 * A list of the platform is an array that may also name what could not be read for it, one sentence each: rows are
 * missing from it, and nobody knows which.
 */
export interface Unread {
  readonly unread?: readonly string[];
}

/** Some operations by name. */
export type Operations = Readonly<Record<string, Operation>>;

/** The name of a business unit as the policy spells it; every operation but those of the platform itself carries one. */
export const unit = z.string().min(1).max(64);

/** A Kubernetes object name (RFC 1123 subdomain). */
export const kubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'not a Kubernetes name');
