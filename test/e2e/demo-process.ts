import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

/** A demo as `npm run demo` starts it, or `npm run dev` with the argument --watch. */
export interface DemoProcess {
  readonly printed: () => string;
  readonly complained: () => string;
  /** Resolves when it is ready, or has ended: with its exit code then. */
  readonly settled: Promise<number | null>;
  /** The processes that it has started, and theirs. */
  children(): readonly number[];
  /** Sends a signal and answers the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a demo in that folder, with these settings and nothing else of our environment; prints how long it took. */
export function runDemo(
  directory: string,
  settings: Readonly<Record<string, string>>,
  [main, ...args]: readonly string[] = [MAIN],
): DemoProcess {
  const { PATH, HOME } = process.env;
  const began = performance.now();
  const child = spawn(process.execPath, [main ?? MAIN, ...args], {
    cwd: directory,
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let [printed, complained] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => {
    complained += chunk.toString();
  });
  const ready = new Promise<null>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (!printed.includes('Ctrl-C stops everything.')) return;
      process.stdout.write(`the demo was ready after ${Math.round(performance.now() - began)} ms\n`);
      resolve(null);
    });
  });
  return {
    printed: () => printed,
    complained: () => complained,
    settled: Promise.race([ready, ended]),
    children: () => descendantsOf(child.pid ?? 0),
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

function descendantsOf(parent: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = pids.map(Number).filter((pid) => parentOf(pid) === parent);
  return [...children, ...children.flatMap(descendantsOf)];
}

/** From `pid (name) state ppid …`; a process may end while it is looked at. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
  } catch {
    return undefined;
  }
}
