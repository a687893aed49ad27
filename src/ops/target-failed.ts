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
