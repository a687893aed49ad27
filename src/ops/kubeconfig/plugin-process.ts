import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onOneLine } from '../../plain-text.ts';
import { hideAssigned } from '../assigned-secrets.ts';

/** A program to run; `env` is all of its environment. */
export interface PluginCall {
  /** A path, or a name that is looked for on the PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Said to the operator when there is no such program. */
  readonly installHint: string | undefined;
}

/** Runs a program, and answers what it wrote to its standard output. Throws an Error that quotes none of that. */
export type RunPlugin = (call: PluginCall) => Promise<string>;

export interface PluginLimits {
  /** How long one may run; ms. */
  readonly limitMs: number;
  /** How many run at once; further ones wait. */
  readonly most: number;
}

const LIMITS: PluginLimits = { limitMs: 15_000, most: 4 };
const MOST_OUTPUT = 1024 * 1024;
/** How much of what a program complains of is kept for the log. */
const MOST_COMPLAINT = 2048;
const COMPLAINT_SHOWN = 300;

/** A program and all that it starts have this in their environment, each run with a value of its own. */
const MARK = 'KEYPAD_PLUGIN';
/** Whoever starts others faster than it is found is given up after so many looks. */
const LOOKS = '1 2 3 4 5';
/**
 * The shell becomes the program. What it leaves behind waits for the end of a pipe that only Keypad holds open, and then
 * ends what bears the mark, wherever it went, and the group of processes: so neither the program nor what it started
 * outlives Keypad, whatever ends that. Who has left the group and has cleared its environment too is not found.
 */
const GUARD = `(
  read -r _ <&3
  read -r self _ </proc/self/stat
  for _ in ${LOOKS}; do
    others=
    for found in $(${MARK}= grep -lsF "$${MARK}" /proc/[0-9]*/environ); do
      pid=\${found#/proc/}
      [ "$pid" = "$self/environ" ] || { kill -KILL "\${pid%/environ}"; others=some; }
    done
    [ "$others" ] || break
  done
  kill -KILL 0
) >/dev/null 2>&1 & exec "$@" 3<&-`;
/** How long the guard may take before the group is ended without it. */
const GUARD_MS = 1000;

/** Makes what runs programs: so many at once, each for so long. */
export function createPluginRunner({ limitMs, most }: PluginLimits = LIMITS) {
  const waiting: (() => void)[] = [];
  const running = new Set<ChildProcess>();
  let free = most;
  let isClosed = false;
  const run: RunPlugin = async (call) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      if (isClosed) throw new Error('the platform is closing');
      return await runOne(call, limitMs, running);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
  return {
    run,
    /** Ends all that run. */
    close(): void {
      isClosed = true;
      for (const child of running) end(child);
    },
  };
}

function runOne(call: PluginCall, limitMs: number, running: Set<ChildProcess>): Promise<string> {
  const { env, args, installHint } = call;
  const command = findProgram(call.command, env.PATH ?? '');
  if (command === undefined) {
    const hint = installHint === undefined ? '' : `; its kubeconfig says: ${plain(installHint)}`;
    throw new Error(`there is no program ${call.command} that may be run${hint}`);
  }
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', command, ...args], {
    env: { ...env, [MARK]: randomUUID() },
    // A group of its own, which can be ended as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let problem: string | undefined;
  const stop = (why: string): void => {
    problem ??= why;
    end(child);
  };
  const late = setTimeout(stop, limitMs, `gave no answer within ${limitMs} ms, and was ended`);
  const output: Buffer[] = [];
  let length = 0;
  let complaint = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_OUTPUT) stop(`wrote more than ${MOST_OUTPUT} bytes, and was ended`);
    else output.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-MOST_COMPLAINT);
  });
  const forget = (): void => {
    clearTimeout(late);
    running.delete(child);
  };
  child.on('error', (error: NodeJS.ErrnoException) => {
    forget();
    reject(new Error(`cannot be run (${error.code})`));
  });
  // What it leaves behind may hold the output open still, is not needed any more, and ends with the pipe.
  child.on('exit', () => child.stdio[3]?.destroy());
  child.on('close', (code, signal) => {
    forget();
    const failure = problem ?? (code !== 0 && `ended with ${signal ?? code}${said(complaint)}`);
    if (failure) reject(new Error(failure));
    else resolve(Buffer.concat(output).toString());
  });
  return promise;
}

/** Lets the guard end a program and all that it started; should the guard be gone, its group at least. */
function end(child: ChildProcess): void {
  // Who is not found may hold the output open for ever.
  for (const pipe of child.stdio) pipe?.destroy();
  setTimeout(endGroup, GUARD_MS, child).unref();
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  // While it has not ended, its number belongs to nobody else.
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function findProgram(command: string, path: string): string | undefined {
  if (command.includes('/')) return isProgram(command) ? command : undefined;
  const places = path.split(delimiter).filter((folder) => folder !== '');
  return places.map((folder) => join(folder, command)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a program complained of, for a log: its end, without what could be a token or a key. */
function said(complaint: string): string {
  const end = plain(complaint).slice(-COMPLAINT_SHOWN);
  return end === '' ? '' : `: ${end}`;
}

/** A text of others on one line, without what a word says to be a secret, and without long words that could be one. */
function plain(text: string): string {
  return onOneLine(hideAssigned(text.trim()).replace(/[\w+=~-]{24,}/g, '***'));
}
