import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Stops a process (SIGSTOP) until the function that comes back is called, or until we are gone, even by SIGKILL: a
 * stopped process would not see the signal that ends it with us. A shell waits for the end of a pipe that we hold.
 */
export function pause({ pid }: Pick<ChildProcess, 'pid'>): () => Promise<void> {
  if (pid === undefined) throw new Error('the process does not run');
  const guard = spawn('sh', ['-c', 'read line; kill -CONT "$0"', `${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  process.kill(pid, 'SIGSTOP');
  return async () => {
    const resumed = once(guard, 'exit');
    guard.stdin.end();
    await resumed;
  };
}
