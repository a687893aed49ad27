import { type EntryContext, Unavailable } from '../menu/tree/context.ts';
import type { FromProgram, Settled } from './wire.ts';

/** One call of a function of an entry, while it is open. */
export interface Call {
  /** The file of the entry, and the names that lead to the function in what it exports. */
  readonly at: readonly string[];
  readonly context: EntryContext | undefined;
  settle(settled: Settled): void;
  fail(error: unknown): void;
  /** How many reads it has asked for. */
  asked: number;
  /** What a read broke with, for the log; the entry does not hear it. */
  cause?: unknown;
}

/** The names of operations: nothing else of the platform can be asked for. */
const NAME = /^[a-z0-9]+([.-][a-z0-9]+)*$/i;
const MOST_NAME = 200;

/** What the platform answers to an entry, asked for the user of its call, and at most so often. */
export async function readFor(
  call: Call,
  { name, input }: Extract<FromProgram, { ask: number }>,
  most: number,
): Promise<Settled> {
  call.asked += 1;
  if (call.asked > most) return { failed: `it asks the platform more than ${most} times` };
  if (typeof name !== 'string' || name.length > MOST_NAME || !NAME.test(name)) {
    return { failed: `${JSON.stringify(name)} is no name of a read` };
  }
  try {
    const value: unknown = await call.context?.ops.call(name as never, input as never);
    return { value, unread: Array.isArray(value) ? (value as { unread?: unknown }).unread : undefined };
  } catch (error) {
    if (error instanceof Unavailable) return { unavailable: error.message };
    call.cause = error;
    return { failed: 'the platform could not be asked' };
  }
}
