/** The platform's reads by name, each `{ input, output }`; menus/_catalogue.ts fills it from the catalogue. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging, so that the core imports no contract
export interface Reads {}

/** The platform's changes by name, each `{ input }`; menus/_catalogue.ts fills it from the catalogue. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging, so that the core imports no contract
export interface Changes {}

export type ReadName = keyof Reads & string;
export type ChangeName = keyof Changes & string;
type Part<T, K extends PropertyKey> = T extends { readonly [P in K]: infer V } ? V : never;
export type InputOf<N extends ReadName | ChangeName> = Part<(Reads & Changes)[N], 'input'>;

/** The answers given on the way to an entry, by the name of their question. */
export type Answers = Readonly<Record<string, unknown>>;

/** What a menu author calls: the reads of the platform, run as the user who is typing. */
export interface Ops {
  /** Throws `Unavailable` with a sentence for the user when the platform refuses or cannot be reached. */
  call<N extends ReadName>(name: N, input: InputOf<N>): Promise<Part<Reads[N], 'output'>>;
}

/** What would happen, as the platform worded it. `code` must be typed back when it is there; `expiresAt` is Unix ms. */
export interface Preview {
  readonly id: string;
  readonly hash: string;
  readonly lines: readonly string[];
  readonly code?: string | undefined;
  readonly expiresAt: number;
}

/**
 * What became of a confirmed change. `receipts` holds the id of the operation when `text` tells how it ended; nobody
 * else has to tell it then. `fresh` is a new preview to confirm instead, when the object moved.
 */
export interface Outcome {
  readonly text: string;
  readonly receipts?: readonly string[] | undefined;
  readonly fresh?: Preview | undefined;
}

/** What the functions of an entry get. */
export interface EntryContext {
  readonly user: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** How many bytes of UTF-8 one reply may have. */
  readonly replyBytes: number;
  readonly ops: Ops;
}

/** Everything outside the core that one turn may use. */
export interface Context extends EntryContext {
  /** Whether the user may run the operation, given the answers so far (`unit` among them scopes the right). */
  may(operation: string, answers: Answers): boolean;
  /** Asks the platform what a change would do; throws `Unavailable`. */
  preview(operation: string, input: unknown): Promise<Preview>;
  /** Runs a confirmed change, at most once; throws `Unavailable` only when it certainly did not run. */
  run(operation: string, input: unknown, preview: Preview, code: string | undefined): Promise<Outcome>;
}

/** What was asked for cannot be had just now; `message` is the sentence the user reads, and nothing has changed. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What `work` comes to, or what `otherwise` makes of the sentence when it cannot be had just now. */
export function unlessUnavailable<T, U>(
  work: Promise<T>,
  otherwise: (why: string) => U | Promise<U>,
): Promise<T | U> {
  return work.catch((error: unknown) => {
    if (error instanceof Unavailable) return otherwise(error.message);
    throw error;
  });
}
