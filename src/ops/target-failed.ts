/** A cluster or a database server did not do what it was asked. `message` is one plain sentence for the user. */
export class TargetFailed extends Error {
  override readonly name = 'TargetFailed';
  /** False only when it is certain that nothing has changed. */
  readonly mayHaveHappened: boolean;

  constructor(message: string, options: { readonly mayHaveHappened: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.mayHaveHappened = options.mayHaveHappened;
  }
}

/** Codes of an error that say that no connection was made, so that the request was never sent. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether an error of fetch or mysql2 leaves open if the other side has got the request. */
export function mayHaveArrived(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && NEVER_SENT.has(each.code)) return false;
  }
  return true;
}
