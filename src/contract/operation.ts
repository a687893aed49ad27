import * as z from 'zod';

/** Risk of a change, which decides what must be typed before it runs: `low` a `1`, `high` the 4-digit code shown. */
export type Risk = 'low' | 'high';

/**
 * A list of the platform is an array that may also name what could not be read for it, one sentence each: rows are
 * missing from it, and nobody knows which.
 */
export interface Unread {
  readonly unread?: readonly string[];
}

/** The name of a business unit as the policy spells it; every operation but those of the platform itself carries one. */
export const unit = z.string().min(1).max(64).meta({ title: '事业部' });

/** The name of a MySQL server, as the policy and OPS_MYSQL_TARGETS spell it. */
export const instance = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not an instance name');

/** The name of an HTTP service, as a unit of the policy spells it. */
export const service = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not a service name');

/** A Kubernetes object name (RFC 1123 subdomain). */
export const kubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'not a Kubernetes name');
