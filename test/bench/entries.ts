import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { EntryContext } from '../../src/menu/tree/context.ts';
import type { Action, Folder } from '../../src/menu/tree/entry.ts';
import { isChoice } from '../../src/menu/tree/question.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { cpuBeside, cpuMicroseconds } from './wire.ts';

const AT_ONCE = 64;
const context = {
  user: 'bench',
  now: 0,
  replyBytes: 2048,
  ops: { call: async () => ['电商'] },
} as unknown as EntryContext;

/** What a function of an entry costs where menus run: its process, and so many calls of two that do next to nothing. */
export async function benchEntries(folder: string, calls: number): Promise<void> {
  const sandbox = createSandbox({ onStopped: console.error, now: Date.now });
  const started = performance.now();
  const { files } = await sandbox.loadFiles(folder);
  const loadMs = performance.now() - started;
  console.log(`${files.length} files loaded in ${loadMs.toFixed(0)} ms, ${residentMiB()} MiB resident`);
  const action = files.find(({ path }) => path.endsWith('entry.ts'))?.entry as Action;
  const first = files.find(({ path }) => path === 'index.ts')?.entry as Folder;
  const { unit } = first.ask;
  if (unit === undefined || !isChoice(unit)) throw new Error('the first screen asks for no unit');
  await measure('a function that answers', calls, () => action.run(context, {}));
  await measure('one that asks the platform once', calls, () => unit.load(context, {}));
  console.log(`${residentMiB()} MiB resident`);
  sandbox.close();
}

async function measure(name: string, calls: number, call: () => Promise<unknown>): Promise<void> {
  const round = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, call));
  };
  await round(5000);
  const before = [cpuMicroseconds(process.pid), cpuBeside(process.pid)] as const;
  await round(calls);
  const own = (cpuMicroseconds(process.pid) - before[0]) / calls;
  const beside = (cpuBeside(process.pid) - before[1]) / calls;
  const started = performance.now();
  for (let n = 0; n < 1000; n += 1) await call();
  const alone = performance.now() - started;
  console.log(
    `${name}: ${own.toFixed(0)} µs CPU of the bot, ${beside.toFixed(0)} of its process; alone after ${alone.toFixed(0)} µs`,
  );
}

/** That of the processes beside this one. */
function residentMiB(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  const sizes = execFileSync('ps', ['-o', 'rss=', '-p', children.trim().split(' ').join()], {
    encoding: 'utf8',
  });
  return Math.round(
    sizes
      .trim()
      .split('\n')
      .reduce((sum, size) => sum + Number(size), 0) / 1024,
  );
}
