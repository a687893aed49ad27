import { ConfigError } from '../errors.ts';
import { type EntryContext, Unavailable } from '../menu/tree/context.ts';
import type { Sources } from '../server/module-folder.ts';
import { codeOf } from './own-code.ts';
import { type Call, readFor } from './platform-reads.ts';
import { type Limits, type MenuProcess, startProcess } from './process.ts';
import { sentences } from './sentences.ts';
import type { AnswerMessage, CallMessage, FirstAnswer, FromProgram, Settled } from './wire.ts';

/** What one function of an entry may take. */
export interface ProgramLimits extends Limits {
  /** How long it may wait for anything; ms. */
  readonly callMs: number;
  /** How many reads it may ask the platform for. */
  readonly asks: number;
  /** How long nobody calls until its process is ended; the next call starts another. */
  readonly idleMs: number;
}

interface ProgramParts {
  /** Of files without types. */
  readonly sources: Sources;
  readonly limits: ProgramLimits;
  /** A function of this file had to be stopped; without a file, the process has ended while it was at none. */
  onStopped(file: string | undefined, why: string): void;
  /** Unix ms. */
  now(): number;
}

/** Calls a function of an entry; `at` is its file, and the names that lead to it in what the file exports. */
export type CallEntry = (
  at: readonly string[],
  context: EntryContext | undefined,
  args: readonly unknown[],
) => Promise<Settled>;

/** A process that has loaded the files. */
interface Running {
  readonly process: MenuProcess<Call>;
  readonly calls: Map<number, Call>;
  readonly entries: readonly string[];
}

/** An entry that had to be stopped twice within this time is closed for as long; ms. */
const CLOSED_MS = 60_000;

/** The process has ended while a call was open in it. */
class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** The program that the files of one generation are, in a process of its own that comes and goes. */
export type Program = ReturnType<typeof createProgram>;

/** Makes the program of one generation; no process is started yet. */
export function createProgram({ sources, limits, onStopped, now }: ProgramParts) {
  const inside = new URL('./inside.ts', import.meta.url).href;
  const { generation } = sources;
  const first = { load: [...sources.files], generation, own: codeOf(inside), inside };
  const stopped = new Map<string, number>();
  const closed = new Map<string, number>();
  let current: Promise<Running> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let users = 0;
  let count = 0;

  const stop = ({ at: [file = ''], fail }: Call, why: string): void => {
    if (now() - (stopped.get(file) ?? Number.NEGATIVE_INFINITY) < CLOSED_MS) {
      closed.set(file, now() + CLOSED_MS);
    }
    stopped.set(file, now());
    fail(new Unavailable(sentences.stopped));
    onStopped(file, why);
  };

  const start = (): Promise<Running> => {
    const calls = new Map<number, Call>();
    const { promise, resolve, reject } = Promise.withResolvers<Running>();
    let isLoaded = false;
    const hear = (message: FirstAnswer | FromProgram): void => {
      if ('done' in message) finish(calls.get(message.done), message);
      else if ('ask' in message) void answer(calls.get(message.by), message);
      else if ('problems' in message) reject(new ConfigError(message.problems));
      else if ('entries' in message) {
        isLoaded = true;
        resolve({ process, calls, entries: message.entries });
      }
    };
    const answer = async (call: Call | undefined, message: Extract<FromProgram, { ask: number }>) => {
      if (call === undefined) return;
      const settled = await readFor(call, message, limits.asks);
      process.send({ answer: message.ask, ...settled } satisfies AnswerMessage, call);
    };
    const process = startProcess<Call>({
      first,
      limits,
      onMessage: hear,
      onEnded({ why, by }) {
        const isWanted = current === promise;
        if (isWanted) current = undefined;
        reject(new ConfigError([why]));
        if (isWanted && by !== undefined) stop(by, why);
        else if (isWanted && isLoaded) onStopped(undefined, why);
        for (const call of calls.values()) call.fail(new InterruptedError(why));
      },
    });
    promise.catch(() => process.end('its files cannot be used'));
    return promise;
  };

  const end = (): void => {
    void current?.then(({ process }) => process.end('it is not needed any more')).catch(() => {});
    current = undefined;
  };
  /** Does something with a process that runs; it is ended once nobody has done anything for a while. */
  const use = async <R>(work: (running: Running) => R | Promise<R>): Promise<R> => {
    clearTimeout(idle);
    users += 1;
    try {
      current ??= start();
      return await work(await current);
    } finally {
      users -= 1;
      if (users === 0) idle = setTimeout(end, limits.idleMs).unref();
    }
  };

  const ask: CallEntry = (at, context, args) =>
    use(async ({ process, calls }) => {
      const { promise, resolve, reject } = Promise.withResolvers<Settled>();
      const call: Call = { at, context, settle: resolve, fail: reject, asked: 0 };
      count += 1;
      const number = count;
      calls.set(number, call);
      const late = setTimeout(
        () => stop(call, `it did not end within ${limits.callMs / 1000} s`),
        limits.callMs,
      );
      const data = context && { user: context.user, now: context.now, replyBytes: context.replyBytes };
      process.send({ call: number, at, context: data, args } satisfies CallMessage, call);
      try {
        return await promise;
      } finally {
        clearTimeout(late);
        calls.delete(number);
      }
    });

  return {
    /** Starts its process, and answers what the files export (wire.ts). Throws a ConfigError of what is wrong with them. */
    load: (): Promise<readonly string[]> => use(({ entries }) => entries),
    /**
     * Throws `Unavailable` where it had to be stopped or is closed, and an error with the words of what the entry threw. What
     * is interrupted by the end of the process, for another's sake, is asked once more: functions of entries only read.
     */
    call: (async (...call) => {
      if (now() < (closed.get(call[0][0] as string) ?? 0)) throw new Unavailable(sentences.closed);
      try {
        return await ask(...call).catch((error: unknown) => {
          if (error instanceof InterruptedError) return ask(...call);
          throw error;
        });
      } catch (error) {
        throw error instanceof InterruptedError ? new Unavailable(sentences.interrupted) : error;
      }
    }) as CallEntry,
    /** Ends its process; the next call starts another. */
    end,
  };
}

function finish(call: Call | undefined, { value, unread, unavailable, failed }: Settled): void {
  if (unavailable !== undefined) call?.fail(new Unavailable(`${unavailable}`));
  else if (failed === undefined) call?.settle({ value, unread });
  else call?.fail(new Error(`${call.at.join(' › ')}: ${failed}`, { cause: call.cause }));
}
