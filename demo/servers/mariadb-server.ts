import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type PrivateProcess, startProcess } from './private-process.ts';

export interface MariadbServer extends PrivateProcess {
  /** Connects as the server's own administrator, without a database. */
  readonly url: string;
}

/** Nothing waits for the disk: the data outlive a killed server, but not the machine. */
const UNSYNCED = ['--innodb-flush-method=nosync', '--debug-no-sync', '--innodb-log-file-size=4M'];

/** Where a private server keeps what it has, and how careful it is with it. */
export interface MariadbPlace {
  readonly directory: string;
  /** For data that nobody needs after the run, such as those of tests. */
  readonly isThrowaway?: boolean;
}

/** Makes the data of a server that is to be started in that directory, unless they are there (about a second). */
export function installMariadb({ directory, isThrowaway = false }: MariadbPlace): void {
  const data = dataIn(directory);
  if (existsSync(join(data, 'mysql'))) return;
  mkdirSync(data, { recursive: true });
  const args = [
    ...sharedArgs({ directory, isThrowaway }),
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ];
  execFileSync('mariadb-install-db', args, { stdio: 'pipe' });
}

/** The folder of a server's data in its directory. */
export const dataIn = (directory: string): string => join(directory, 'data');

/** What a server and the making of its data have in common; makes the folder for its temporary files. */
function sharedArgs({ directory, isThrowaway = false }: MariadbPlace): readonly string[] {
  // Servers that share /tmp clean away each other's temporary tables.
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return [
    '--no-defaults',
    `--datadir=${dataIn(directory)}`,
    `--tmpdir=${temporary}`,
    `--user=${userInfo().username}`,
    ...(isThrowaway ? UNSYNCED : []),
  ];
}

/** Starts a private mariadbd on loopback; makes its data at the first start. */
export async function startMariadbServer(
  options: MariadbPlace & {
    readonly port: number;
    /** Further arguments of the server. */
    readonly args?: readonly string[];
  },
): Promise<MariadbServer> {
  const { directory, port, args: more = [] } = options;
  installMariadb(options);
  const args = [
    ...sharedArgs(options),
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${join(directory, 'mariadb.sock')}`,
    `--pid-file=${join(directory, 'mariadb.pid')}`,
    '--skip-log-bin',
    '--character-set-server=utf8mb4',
    '--skip-name-resolve',
    ...more,
  ];
  const server = await startProcess('mariadbd', args, () => greets(port));
  return { ...server, url: `mysql://root@127.0.0.1:${port}` };
}

/** Whether something on that port speaks first, as a MySQL server does. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
