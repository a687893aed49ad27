import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onOneLine } from '../../plain-text.ts';
import { hideAssigned } from '../assigned-secrets.ts';
import { endGuarded, spawnGuarded } from '../guarded-process.ts';

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
      for (const child of running) endGuarded(child);
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
  const child = spawnGuarded({ path: command, args, env });
  running.add(child);
  let problem: string | undefined;
  const stop = (why: string): void => {
    problem ??= why;
    endGuarded(child);
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
  child.on('close', (code, signal) => {
    forget();
    const failure = problem ?? (code !== 0 && `ended with ${signal ?? code}${said(complaint)}`);
    if (failure) reject(new Error(failure));
    else resolve(Buffer.concat(output).toString());
  });
  return promise;
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
