import type { Answers, ChangeName, EntryContext, InputOf, ReadName } from './context.ts';
import type { Question } from './question.ts';

type Asks<T, A> = { readonly [K in keyof T]: Question<T[K], A> };
type Nothing = Record<never, never>;

interface Titled {
  readonly title: string;
  readonly within?: Folder | undefined;
  readonly ask: Readonly<Record<string, Question>>;
  /** The operation without which it is not shown; what an operation runs, it needs. */
  readonly needs?: string | undefined;
}

/** A menu: its children are the files beside its `index.ts`. `A` is what is answered once one stands inside. */
export interface Folder<A = unknown> extends Titled {
  readonly kind: 'folder';
  /** Never there: carries the type of the answers to what stands below. */
  readonly answers?: A;
}

/** An entry that reads and replies. */
export interface Action extends Titled {
  readonly kind: 'action';
  /** The read whose answer is the reply, where the author left `run` to it (derive.ts); in every tree there is `run`. */
  readonly runs?: string | undefined;
  run(context: EntryContext, answers: Answers): Promise<string>;
}

/** An entry that changes something; preview, confirmation and wording are the engine's and the platform's. */
export interface Operation extends Titled {
  readonly kind: 'operation';
  readonly runs: string;
  /** Left out, with `ask`, by whoever lets the operation's schema ask (derive.ts); there in every tree. */
  readonly input?: ((answers: Answers) => unknown) | undefined;
}

export type Entry = Folder | Action | Operation;

interface FolderParts<T, A> {
  readonly title: string;
  readonly needs?: ReadName | ChangeName;
  readonly ask?: Asks<T, A>;
}

interface ActionParts<T, A> extends FolderParts<T, A> {
  readonly run: (context: EntryContext, answers: A & T) => Promise<string> | string;
}

interface OperationParts<T, A, N extends ChangeName> extends Omit<FolderParts<T, A>, 'needs'> {
  readonly runs: N;
  readonly input: (answers: A & T) => InputOf<N>;
}

/** The schema of the operation asks for whatever is not answered above; its title is that of the operation. */
interface DerivedParts<N extends ReadName | ChangeName> {
  readonly runs: N;
  readonly title?: string;
}

/** Declares a menu, inside `within` if it asks or uses what was asked above; the first screen has no `within`. */
export function folder<T = Nothing>(parts: FolderParts<T, Nothing>): Folder<T>;
export function folder<A, T = Nothing>(within: Folder<A>, parts: FolderParts<T, A>): Folder<A & T>;
export function folder(...args: unknown[]): Folder {
  return declare('folder', args) as Folder;
}

/**
 * Declares an entry that reads: `run` answers the reply. `needs` names the operation without which it is not shown. With
 * `runs` alone the reply is what that read answers, a list of lines, and its own schema asks.
 */
export function action<T = Nothing>(parts: ActionParts<T, Nothing>): Action;
export function action<A, T = Nothing>(within: Folder<A>, parts: ActionParts<T, A>): Action;
export function action<N extends ReadName>(parts: DerivedParts<N>): Action;
export function action<N extends ReadName>(within: Folder<unknown>, parts: DerivedParts<N>): Action;
export function action(...args: unknown[]): Action {
  const entry = declare('action', args) as Action;
  const { title = '', runs } = entry;
  return runs === undefined ? entry : { ...entry, title, needs: runs };
}

/**
 * Declares an entry that changes: `input` makes the input of the operation that it `runs` from the answers. Without `ask`
 * and `input` the operation's own schema asks.
 */
export function operation<N extends ChangeName, T = Nothing>(parts: OperationParts<T, Nothing, N>): Operation;
export function operation<A, N extends ChangeName, T = Nothing>(
  within: Folder<A>,
  parts: OperationParts<T, A, N>,
): Operation;
export function operation<N extends ChangeName>(parts: DerivedParts<N>): Operation;
export function operation<N extends ChangeName>(within: Folder<unknown>, parts: DerivedParts<N>): Operation;
export function operation(...args: unknown[]): Operation {
  const entry = declare('operation', args) as Operation;
  return { ...entry, title: entry.title ?? '', needs: entry.runs };
}

function declare(kind: Entry['kind'], args: readonly unknown[]): object {
  const [within, parts] = args.length === 1 ? [undefined, args[0]] : args;
  return { ask: {}, ...(parts as object), kind, within };
}
