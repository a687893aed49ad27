/**
 * The few errors a caller acts on. Everything else is a bug: the user sees a number, the log has all of it.
 */

/** The process cannot start: every problem of the settings at once, each with its remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Something from outside is malformed. `message` is one plain sentence that may be shown to whoever sent it. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** Why something was not allowed; the audit and the metrics count by it. */
export const reasons = [
  'source', // the address may not call
  'token', // the token is missing, forged, expired or for something else
  'replay', // the token was used before
  'policy', // this user may not do this here
  'expired', // the preview is older than it may be
  'used', // the preview was confirmed before
  'moved', // the object changed since the preview
  'code', // the typed code is not the one shown
  'missing', // the object is not there
  'busy', // as many as may be run already, or have begun in the last hour
  'tampered', // the platform's own records were changed by somebody else
] as const;
export type Reason = (typeof reasons)[number];

/** A well-formed request that is not allowed. `message` is one plain sentence for the person who asked. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * A request over HTTP got no whole answer. `message` says why with a code or a limit only, never with the URL or a word
 * of the other side. `mayHaveArrived` is false when no connection was made, so that no byte of the request was sent.
 */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly mayHaveArrived: boolean;

  constructor(reason: string, mayHaveArrived: boolean) {
    super(`no answer ${reason}`);
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** Codes of an error that say that no connection was made, so that no byte of the request was sent. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether an error of HTTP or mysql2 leaves open if the other side has got the request. */
export function mayHaveArrived(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof NoAnswer) return each.mayHaveArrived;
    if ('code' in each && NEVER_SENT.has(each.code)) return false;
  }
  return true;
}
