import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { codeOf } from './own-code.ts';
import {
  type FirstAnswer,
  type FirstMessage,
  type FromProcess,
  type FromProgram,
  readLines,
} from './wire.ts';

/** What a process for menus may take. */
export interface Limits {
  /** How long it may be at work without an answer; ms. */
  readonly busyMs: number;
  /** How long one file may load; ms. */
  readonly loadMs: number;
  /** The size of its heap. */
  readonly heapMiB: number;
}

/** How the process has ended. `by` is who had sent the line that it was at, if it was at one after the first. */
export interface Ended<T> {
  readonly why: string;
  readonly by: T | undefined;
}

interface ProcessParts<T> {
  readonly first: FirstMessage;
  readonly limits: Limits;
  /** Hears what it says, which may be anything that is JSON. What this throws ends it. */
  onMessage(message: FirstAnswer | FromProgram): void;
  onEnded(ended: Ended<T>): void;
}

/** A process for menus. */
export type MenuProcess<T> = ReturnType<typeof startProcess<T>>;

/** What it is started with: whatever Node can refuse is refused, files too. */
export const RIGHTS: readonly string[] = [
  '--permission',
  '--no-addons',
  '--disallow-code-generation-from-strings',
  '--frozen-intrinsics',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
];
/** One line of it; the descriptions of ten thousand entries are two. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const LAST_WORDS = 2000;

/** The text of a program that is this file of ours, for a process that can read none. */
export function programOf(url: string): string {
  return `import { registerHooks } from 'node:module';
const files = new Map(${JSON.stringify(codeOf(url))});
registerHooks({
  resolve(specifier, context, next) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : specifier;
    return files.has(url) ? { url, shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    const source = files.get(url);
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
  },
});
await import(${JSON.stringify(url)});
`;
}

/**
 * Starts a process for menus, with no environment and no rights: what Node's permissions do not refuse is closed inside
 * (no-network.ts), and its realm has no names for any of it (realm.ts). It is ended by its id when it is at one line for too
 * long, takes too much memory, or says too much; who had sent that line is told.
 */
export function startProcess<T>({ first, limits, onMessage, onEnded }: ProcessParts<T>) {
  const { busyMs, loadMs, heapMiB } = limits;
  const child = spawn(
    process.execPath,
    [...RIGHTS, `--max-old-space-size=${heapMiB}`, '--input-type=module', '-'],
    {
      // Dates are shown in the zone that the bot has; nothing else of its environment is there.
      env: { TZ: Intl.DateTimeFormat().resolvedOptions().timeZone },
      // A dump of its memory must not land in a folder of ours.
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    },
  );
  const { stdin: program, stdout: answers, stderr: errors } = child;
  const wire = child.stdio[3] as Duplex;
  /** Who has sent the lines that are not done, the oldest first; nobody, the first of all. */
  const senders: (T | undefined)[] = [];
  let why: string | undefined;
  let at: string | undefined = 'index.ts';
  let lastWords = '';
  let halves = 0;
  let timer: { readonly ms: number; readonly timeout: NodeJS.Timeout } | undefined;

  const end = (reason: string): void => {
    why ??= at === undefined ? reason : `${at}: cannot be loaded: ${reason}`;
    child.kill('SIGKILL');
  };
  /**
   * What it is at may take so long from now on. Half the time is waited for twice: where this process or the machine stood
   * still, an answer may be there that is read only after the timer.
   */
  const watch = (): void => {
    halves = 0;
    const ms = at === undefined ? busyMs : loadMs;
    if (timer?.ms === ms) timer.timeout.refresh();
    else {
      clearTimeout(timer?.timeout);
      timer = { ms, timeout: setTimeout(() => late(ms), ms / 2) };
    }
  };
  const late = (ms: number): void => {
    halves += 1;
    if (halves < 2) timer?.timeout.refresh();
    else if (senders.length > 0) end(`it took over ${ms / 1000} s`);
  };
  const send = (message: unknown, by: T | undefined): void => {
    senders.push(by);
    wire.write(`${JSON.stringify(message)}\n`);
    if (senders.length === 1) watch();
  };
  const hear = (line: string): void => {
    if (why !== undefined) return;
    try {
      const said = JSON.parse(line) as FromProcess;
      if (Array.isArray(said)) {
        at = undefined;
        for (const message of said) onMessage(message);
        senders.shift();
      } else at = said.at;
      watch();
    } catch (error) {
      end(`it says what cannot be read: ${error}`);
    }
  };
  readLines(answers, hear, MOST_CHARACTERS, () => end('it answered more than fits'));
  errors.setEncoding('utf8').on('data', (chunk: string) => {
    lastWords = (lastWords + chunk).slice(-LAST_WORDS);
  });
  // It may end while it is written to, and be no process at all; `close` tells of both.
  for (const stream of [program, wire]) stream.on('error', () => {});
  child.on('error', (error) => {
    why ??= `it cannot be started: ${error.message}`;
  });
  child.on('close', (code, signal) => {
    clearTimeout(timer?.timeout);
    const isFull = lastWords.includes('heap out of memory');
    end(isFull ? `it took over ${heapMiB} MiB` : `it ended (${signal ?? code}): ${lastWords}`);
    onEnded({ why: why as string, by: senders[0] });
  });
  program.end(programOf(new URL('./main.ts', import.meta.url).href));
  send(first, undefined);
  return {
    /** Sends a message of `by`. */
    send: (message: unknown, by: T): void => send(message, by),
    /** Ends it, for this reason. */
    end,
  };
}
