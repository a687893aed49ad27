import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { InputError } from '../../errors.ts';
import { endGently, endGuarded, type GuardedProgram, SETPRIV, spawnGuarded } from '../guarded-process.ts';
import { TargetFailed } from '../target-failed.ts';
import type { Machine } from './command-program.ts';
import { createOutputTail, type OutputTail } from './output-tail.ts';

/** One run of a program. */
export interface CommandCall extends Omit<GuardedProgram, 'user'> {
  /** For so long it may run; then it is asked to end, and ended `patienceMs` later. */
  readonly seconds: number;
  readonly patienceMs: number;
  /** How many of its last lines are kept. */
  readonly lines: number;
  /** A line without the secrets that the program was given. */
  hide(line: string): string;
}

/** How a program ended: by itself, by a signal of somebody, after its time, or with the platform. */
export type CommandEnd =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: string }
  | { readonly how: 'late' | 'stopped' };

/** A program that was started. */
export interface CommandRun {
  readonly startedAt: number;
  readonly output: Pick<OutputTail, 'lines' | 'before'>;
  readonly ended: Promise<CommandEnd>;
  /** How it ended; undefined while it runs. */
  end(): CommandEnd | undefined;
  /** Ends it, and answers when it has ended. */
  stop(): Promise<unknown>;
}

/** The programs that one process of the platform runs. */
export type Commands = ReturnType<typeof createCommands>;

/** When the program has ended, its output is read for so long: what it left behind may hold it open. */
const LEFT_MS = 1000;
/** Who cannot even be killed is given up. */
const GIVE_UP_MS = 4000;
/** How long it is known how a change ended, for a row that another look takes up again. */
const KEPT_MS = 600_000;
/** The platform itself has to end in time. */
const STOP_PATIENCE_MS = 4000;

/** Makes what runs programs as the user of `machine`. */
export function createCommands(machine: Machine) {
  const running = new Set<CommandRun>();
  const changes = new Map<string, CommandRun>();
  let isClosed = false;

  const start = async (call: CommandCall): Promise<CommandRun> => {
    if (isClosed) throw new TargetFailed('平台正在停止', { mayHaveHappened: false });
    const child = await spawned({ ...call, user: userOf(machine) });
    const output = createOutputTail(call.lines, call.hide);
    let why: 'late' | 'stopped' | undefined;
    let end: CommandEnd | undefined;
    const { promise: ended, resolve } = Promise.withResolvers<CommandEnd>();
    const stop = async (as: 'late' | 'stopped', patienceMs: number): Promise<CommandEnd> => {
      if (end === undefined) {
        why ??= as;
        await endGently(child, patienceMs);
        const given = why;
        setTimeout(() => resolve({ how: given }), GIVE_UP_MS).unref();
      }
      return ended;
    };
    const late = setTimeout(stop, call.seconds * 1000, 'late', call.patienceMs);
    for (const stream of [child.stdout, child.stderr]) {
      const take = output.stream();
      stream?.on('data', take);
      stream?.on('close', () => take());
    }
    child.once('exit', () => {
      clearTimeout(late);
      setTimeout(endGuarded, LEFT_MS, child).unref();
    });
    child.once('close', (code, signal) => {
      if (why !== undefined) resolve({ how: why });
      else resolve(code === null ? { how: 'signal', signal: `${signal}` } : { how: 'exit', code });
    });
    const run: CommandRun = {
      startedAt: Date.now(),
      output,
      ended,
      end: () => end,
      stop: () => stop('stopped', STOP_PATIENCE_MS),
    };
    running.add(run);
    void ended.then((how) => {
      end = how;
      clearTimeout(late);
      running.delete(run);
    });
    return run;
  };

  return {
    machine,
    /** Throws an InputError with the remedy unless programs can be run as the user that the settings say. */
    check: () => checkUser(machine),
    start,
    /** The same, for the change of that id. */
    async startChange(id: string, call: CommandCall): Promise<void> {
      const run = await start(call);
      changes.set(id, run);
      void run.ended.then(() => setTimeout(() => changes.delete(id), KEPT_MS).unref());
    },
    /** What runs, or ran lately, in this process for the change of that id. */
    ofChange: (id: string): CommandRun | undefined => changes.get(id),
    /** Starts no more, ends all that run, and answers when they have ended. */
    async close(): Promise<void> {
      isClosed = true;
      await Promise.all([...running].map((run) => run.stop()));
    },
  };
}

function checkUser({ user }: Machine): void {
  const own = process.geteuid?.();
  if (own === 0 && user === undefined)
    throw new InputError(
      'the platform runs as root, as which it runs no command; set OPS_COMMAND_USER to another user, such as nobody or 1000:1000',
    );
  if (own === 0 && !existsSync(SETPRIV))
    throw new InputError(`to run as OPS_COMMAND_USER needs ${SETPRIV}; install util-linux`);
  if (own !== 0 && user !== undefined && user.uid !== own)
    throw new InputError(
      `only root can run commands as OPS_COMMAND_USER, and the platform runs as ${own}; unset it, and they run as that`,
    );
}

/** Whom to become; nobody else for whoever is that already. */
function userOf({ user }: Machine): Machine['user'] {
  return user?.uid === process.geteuid?.() ? undefined : user;
}

async function spawned(program: GuardedProgram) {
  try {
    const child = spawnGuarded(program);
    await once(child, 'spawn');
    return child;
  } catch (cause) {
    throw new TargetFailed('程序没能启动，请联系运维负责人', { mayHaveHappened: false, cause });
  }
}
