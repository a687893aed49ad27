import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PrivateProcess, startProcess } from './private-process.ts';
import { openRoleLog } from './role-log.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Node restarts the role when a file of src changes that it has loaded; menus are left to the bot, which reads them again. */
const WATCHED = [
  '--watch',
  '--watch-preserve-output',
  '--import',
  new URL('watch-src.ts', import.meta.url).href,
];

/** One role to start as a process of its own, as in production. */
export interface RoleProcess {
  readonly role: 'bot' | 'ops' | 'push';
  readonly env: Readonly<Record<string, string>>;
  readonly internalPort: number;
  /** Its log lines go to `<directory>/<role>.log`. */
  readonly directory: string;
  /** Whether it starts anew when its code changes. */
  readonly isWatched?: boolean;
  /** Hears of menus and policies that the role refuses. */
  readonly say?: ((text: string) => void) | undefined;
}

/** Starts a role and waits until its /readyz says so. It sees the given settings and nothing else of our environment. */
export async function startRole({
  role,
  env,
  internalPort,
  directory,
  isWatched = false,
  say = () => {},
}: RoleProcess): Promise<PrivateProcess> {
  mkdirSync(directory, { recursive: true });
  const isReady = async (): Promise<boolean> => {
    const answered = await fetch(`http://127.0.0.1:${internalPort}/readyz`).catch(() => undefined);
    await answered?.body?.cancel();
    return answered?.status === 200;
  };
  const output = openRoleLog({ role, file: join(directory, `${role}.log`), say });
  // As deploy/Dockerfile starts it.
  const args = [...(isWatched ? WATCHED : []), '--max-semi-space-size=64', MAIN, role];
  return startProcess(process.execPath, args, isReady, { env, output });
}
