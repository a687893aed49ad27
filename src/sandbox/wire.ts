import type { Readable } from 'node:stream';
import type { Code } from './own-code.ts';

/** What the functions of an entry get of their context as data; `ops` they ask through the wire. */
export interface ContextData {
  readonly user: string;
  readonly now: number;
  readonly replyBytes: number;
}

/** Asks for one function of an entry: `at` is its file, and the names that lead to it in what the file exports. */
export interface CallMessage {
  readonly call: number;
  readonly at: readonly string[];
  readonly context?: ContextData | undefined;
  readonly args: readonly unknown[];
}

/** What became of something that was asked; one of `value`, `unavailable` and `failed`. A list may have `unread`. */
export interface Settled {
  readonly value?: unknown;
  readonly unread?: unknown;
  /** A sentence for the user. */
  readonly unavailable?: string | undefined;
  /** The words of an error, for the log. */
  readonly failed?: string | undefined;
}

/** Answers the question of that number. */
export interface AnswerMessage extends Settled {
  readonly answer: number;
}

/** What the program of the menus is told once it is loaded. */
export type ToProgram = CallMessage | AnswerMessage;

/** What it tells: how a call has ended, or that one asks the platform for a read. */
export type FromProgram =
  | (Settled & { readonly done: number })
  | { readonly ask: number; readonly by: number; readonly name: string; readonly input: unknown };

/** The texts of files of the menus, by path. */
export type Files = readonly (readonly [path: string, text: string])[];

/** The first line to a process: files to take the types from, or files without types to load. */
export type FirstMessage =
  | { readonly strip: Files }
  | {
      readonly load: Files;
      readonly generation: string;
      /** What stands beside them in the realm, and which file of it is begun with. */
      readonly own: Code;
      readonly inside: string;
    };

/** What it comes to: files without types, or a JSON text for each file that says what it exports, or what is wrong. */
export type FirstAnswer =
  | { readonly stripped: Files }
  | { readonly entries: readonly string[] }
  | { readonly problems: readonly string[] };

/**
 * One line of a process: the file that it loads from now on, or all that one more line to it has led to, which is done then
 * until the next.
 */
export type FromProcess = { readonly at: string } | (FirstAnswer | FromProgram)[];

/** Hears each line of a stream as it comes. A line of over `most` characters is never kept: `onTooLong` is called instead. */
export function readLines(
  stream: Readable,
  onLine: (line: string) => void,
  most = Number.POSITIVE_INFINITY,
  onTooLong = () => {},
): void {
  let begun = '';
  const giveUp = (): void => {
    stream.removeAllListeners('data').resume();
    onTooLong();
  };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    begun += first;
    for (const other of others) {
      if (begun.length > most) return giveUp();
      onLine(begun);
      begun = other;
    }
    if (begun.length > most) giveUp();
  });
}
