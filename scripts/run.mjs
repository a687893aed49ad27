import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createRun, send } from './processes.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const WATCH_MS = 250;

let told = 0;

/** 0, or the exit code for the signal that was handed on last: a program may end with 0 when it is interrupted. */
export const wasTold = () => told;

/**
 * Runs a program to its end and answers its exit code, as a shell counts it. It gets a process group of its own and is
 * handed our signals: Ctrl-C in a terminal otherwise reaches every server below it at once, before it could stop them in order.
 * What it has started and left behind, having been ended in the middle of its work, is ended too.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, patience?: number }} options `patience` is how many ms it may take to end
 *   after a signal before it is killed; without it there is no limit
 * @returns {Promise<number>}
 */
export async function run(command, args, { patience, ...options }) {
  const { env, look, endAll } = createRun(options.env);
  let insisting;
  const forward = (signal) => {
    told = 128 + constants.signals[signal];
    look();
    // Its whole group: some programs are a script that waits for another one, and does not hand on what it is told.
    if (child.pid === undefined) return;
    send(-child.pid, signal);
    if (patience !== undefined) insisting ??= setTimeout(() => send(-child.pid, 'SIGKILL'), patience);
  };
  // Before it starts: a signal that came in between would end us, and leave it behind.
  for (const signal of SIGNALS) process.on(signal, forward);
  const child = spawn(command, args, {
    ...options,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const watch =
    process.env.npm_lifecycle_event === undefined ? undefined : onOrphaned(() => forward('SIGTERM'));
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    clearTimeout(insisting);
    await endAll();
    clearInterval(watch);
    for (const signal of SIGNALS) process.off(signal, forward);
  }
}

/** npm passes SIGTERM to the shell it starts us with, and that shell dies of it without a word to us. */
function onOrphaned(act) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    act();
  }, WATCH_MS);
  return watch;
}
