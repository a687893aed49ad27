import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../src/errors.ts';

/** A server of our own: nobody else's is ever touched, and this one ends with `stop`. */
export interface PrivateProcess {
  readonly process: ChildProcess;
  /** Asks with SIGTERM, insists with SIGKILL on all of its group after 5 s, and answers when the process is gone. */
  stop(): Promise<void>;
}

/** Hands the command to the kernel with the request to end it when we end, even by SIGKILL; Linux only. */
const SETPRIV = '/usr/bin/setpriv';
const withUs = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM'] : [];

/** What a process sees, and where its lines go. */
export interface ProcessSurroundings {
  /** Our own environment when left out. */
  readonly env?: Readonly<Record<string, string>>;
  readonly output?: Writable;
}

/**
 * Starts `command` and waits until `isReady` answers true, for at most 20 s.
 * Throws `InputError` with the last lines that the process printed when it ends before that.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
  { env, output }: ProcessSurroundings = {},
): Promise<PrivateProcess> {
  // Of its own group: Ctrl-C reaches the demo alone, which then stops everything in order.
  const [program = command, ...words] = [...withUs, command, ...args];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env && { env: { ...env } }),
    detached: true,
  });
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-2000);
    output?.write(chunk);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = `it ended with ${signal ?? code}`;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    if (ended !== undefined) return;
    child.kill('SIGTERM');
    const insist = setTimeout(() => killGroup(child), 5000);
    await gone;
    clearTimeout(insist);
  };
  for (let waited = 0; !(await isReady()); waited += 20) {
    if (ended !== undefined || waited > 20_000) {
      await stop();
      throw new InputError(`${command} did not start: ${ended ?? 'not ready after 20 s'}\n${printed}`);
    }
    await sleep(20);
  }
  return { process: child, stop };
}

/** Also what the process has started: Node's --watch is one process that runs another. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended just now.
  }
}

/** A TCP port on loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
