import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

/** A program to run, by its path; `env` is all of its environment. */
export interface GuardedProgram {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What it finds on its standard input; nothing when it is left out. */
  readonly stdin?: string | undefined;
  /** Whom it runs as, without any group besides; only root can say so. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Becomes another user and then the program, which root's own `exec` cannot. */
export const SETPRIV = '/usr/bin/setpriv';

/** A program and all that it starts have this in their environment, each run with a value of its own. */
const MARK = 'KEYPAD_RUN';
/** Whoever starts others faster than it is found is given up after so many looks. */
const LOOKS = '1 2 3 4 5';
/**
 * The shell becomes the program, and sees neither a template nor a word of it. What it leaves behind waits for the end of
 * a pipe that only Keypad holds open, and then ends what bears the mark, wherever it went, and the group of processes: so
 * neither the program nor what it started outlives Keypad, whatever ends that. It stays who Keypad is: of root's it sees
 * every process. Who has left the group and has cleared its environment too is not found, nor who has become another
 * user while Keypad is not root.
 */
const GUARD = `(
  trap '' TERM HUP INT
  PATH=/usr/bin:/bin:$PATH
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
) >/dev/null 2>&1 & umask 077; exec "$@" 3<&-`;
/** How long the guard may take before the group is ended without it. */
const GUARD_MS = 1000;

/** Starts a program in a group of its own. Its output has to be read, or it waits. */
export function spawnGuarded({ path, args, env, cwd, stdin, user }: GuardedProgram): ChildProcess {
  const ids = user && ['--reuid', `${user.uid}`, '--regid', `${user.gid}`, '--clear-groups', '--'];
  const become = ids === undefined ? [] : [SETPRIV, ...ids];
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', ...become, path, ...args], {
    env: { ...env, [MARK]: randomUUID() },
    ...(cwd !== undefined && { cwd }),
    // A group of its own, which can be ended as a whole.
    detached: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  // Whoever does not read what it was given has closed its end.
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  // What it leaves behind is not needed any more, and ends with the pipe.
  child.on('exit', () => child.stdio[3]?.destroy());
  return child;
}

/** Asks a program and its group to end by themselves, for so many ms; then it is ended. */
export async function endGently(child: ChildProcess, milliseconds: number): Promise<void> {
  if (hasEnded(child)) return;
  signalGroup(child, 'SIGTERM');
  const patience = new AbortController();
  const late = setTimeout(() => patience.abort(), milliseconds);
  await once(child, 'exit', { signal: patience.signal }).catch(() => endGuarded(child));
  clearTimeout(late);
}

/** Lets the guard end a program and all that it started; should the guard be gone, its group at least. */
export function endGuarded(child: ChildProcess): void {
  // Who is not found may hold the output open for ever.
  for (const pipe of child.stdio) pipe?.destroy();
  setTimeout(signalGroup, GUARD_MS, child, 'SIGKILL').unref();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  // While it has not ended, its number belongs to nobody else.
  if (child.pid === undefined || hasEnded(child)) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
