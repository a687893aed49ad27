import * as z from 'zod';

/** Risk of a change, which decides what must be typed before it runs: `low` a `1`, `high` the 4-digit code shown. */
export type Risk = 'low' | 'high';

/** An operation that touches nothing: it runs at once and answers `output`. */
export interface Read<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'read';
  readonly title: string;
  readonly input: I;
  readonly output: O;
}

/** An operation that changes something: previewed, confirmed, then run at most once. It answers one line of text. */
export interface Change<I extends z.ZodType = z.ZodType> {
  readonly kind: 'change';
  readonly title: string;
  readonly input: I;
}

/**
 * An operation that writes the platform's own records and nothing else: it runs at once and answers `output`. Every user
 * may run it, for operations of their own; no menu entry does.
 */
export interface Acknowledge<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType>
  extends Omit<Read<I, O>, 'kind'> {
  readonly kind: 'acknowledge';
}

/** Declares a read. */
export function read<I extends z.ZodType, O extends z.ZodType>(parts: Omit<Read<I, O>, 'kind'>): Read<I, O> {
  return { kind: 'read', ...parts };
}

/** Declares an acknowledgement. */
export function acknowledge<I extends z.ZodType, O extends z.ZodType>(
  parts: Omit<Acknowledge<I, O>, 'kind'>,
): Acknowledge<I, O> {
  return { kind: 'acknowledge', ...parts };
}

/** Declares a change. */
export function change<I extends z.ZodType>(parts: Omit<Change<I>, 'kind'>): Change<I> {
  return { kind: 'change', ...parts };
}

/** The name of a business unit as the policy spells it; every operation but those of the platform itself carries one. */
export const unit = z.string().min(1).max(64);

/** A Kubernetes object name (RFC 1123 subdomain). */
export const kubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'not a Kubernetes name');
