import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What each run adds to the environment of what it starts; of runs within runs, each adds itself to the others. */
const MARK = 'KEYPAD_RUN';

const LOOK_MS = 50;
const GRACE_MS = 5000;

/**
 * A run that is to leave no process behind. `env` goes to what it starts. What it has started is known by that, and by
 * its parents, since not every program is given the whole environment. Linux only: elsewhere nothing is found.
 * @param {NodeJS.ProcessEnv} surroundings
 */
export function createRun(surroundings) {
  const id = randomUUID();
  const env = { ...surroundings, [MARK]: [surroundings[MARK], id].filter(Boolean).join(',') };
  /** By pid, the time of its start: a pid that was given to somebody else is not ours. */
  const ours = new Map();
  /** Takes note of what there is, before a parent ends and its children can no longer be told. */
  const look = () => {
    const all = processes();
    const isOurs = ({ pid, parent, started }) =>
      ours.get(pid) !== started && (ours.has(parent) || environmentOf(pid).includes(id));
    for (let found = all.filter(isOurs); found.length > 0; found = all.filter(isOurs)) {
      for (const { pid, started } of found) ours.set(pid, started);
    }
    return all.filter(({ pid, started }) => ours.get(pid) === started).map(({ pid }) => pid);
  };
  /** Asks what is left to end, insists after 5 s, and answers when it is gone. */
  const endAll = async () => {
    const asked = new Set();
    for (let waited = 0; waited < 2 * GRACE_MS; waited += LOOK_MS) {
      const left = look();
      if (left.length === 0) return;
      for (const pid of left) {
        if (waited >= GRACE_MS) send(pid, 'SIGKILL');
        else if (!asked.has(pid)) send(pid, 'SIGTERM');
        asked.add(pid);
      }
      await sleep(LOOK_MS);
    }
  };
  return { env, look, endAll };
}

/** All processes that have not ended. */
function processes() {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    // "pid (name) state parent …", the start being the 22nd field.
    const fields = read(`/proc/${name}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    const [state, parent] = fields;
    if (parent === undefined || state === 'Z' || state === 'X') return [];
    return [{ pid: Number(name), parent: Number(parent), started: fields[19] }];
  });
}

const environmentOf = (pid) => read(`/proc/${pid}/environ`);

/** Nothing for a process that has ended just now, or that belongs to somebody else. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Sends a signal, to a whole group when the number is negative.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended just now.
  }
}
