import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { InputError } from '../../src/errors.ts';
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

/**
 * Makes the data of a server that is to be started in that directory, unless they are there (about a second). Throws
 * `InputError` with what the program says, such as that the disk is full.
 */
export function installMariadb({ directory, isThrowaway = false }: MariadbPlace): void {
  const data = dataIn(directory);
  if (existsSync(join(data, 'mysql'))) return;
  // Data that are half made, by a run that was killed or a disk that was full, are never taken for whole ones.
  const unfinished = join(directory, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const args = [`--datadir=./${UNFINISHED}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  // It is a shell script that takes a path with a space in it for two: it runs where all paths are short and plain.
  const { status, error, stdout, stderr } = spawnSync(
    'mariadb-install-db',
    [...sharedArgs(isThrowaway), ...args],
    { cwd: directory, env: { ...process.env, TMPDIR: makeTemporary(directory) }, encoding: 'utf8' },
  );
  if (status !== 0) {
    const why = error?.message ?? /\[ERROR\] .*/.exec(stderr)?.[0] ?? `${stdout}${stderr}`.trim();
    rmSync(unfinished, { recursive: true, force: true });
    const { bavail, bsize } = statfsSync(directory);
    const free = Math.floor((bavail * bsize) / 1024 ** 2);
    throw new InputError(
      `MariaDB could not make its data in ${directory}, where ${free} MB are free and about 200 are needed: ${why}`,
    );
  }
  rmSync(data, { recursive: true, force: true });
  renameSync(unfinished, data);
}

/** Where data are while they are being made. */
const UNFINISHED = 'unfinished';

/** The folder of a server's data in its directory. */
export const dataIn = (directory: string): string => join(directory, 'data');

/** Servers that share /tmp clean away each other's temporary tables. */
function makeTemporary(directory: string): string {
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return temporary;
}

/** What a server and the making of its data have in common. */
function sharedArgs(isThrowaway: boolean): readonly string[] {
  // Only root has to say whom it runs as; whoever runs a container may have no name at all.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  return ['--no-defaults', ...user, ...(isThrowaway ? UNSYNCED : [])];
}

/** Starts a private mariadbd on loopback; makes its data at the first start. */
export async function startMariadbServer(
  options: MariadbPlace & {
    readonly port: number;
    /** Letters and digits: of the server's own administrator, who has none when left out. */
    readonly password?: string;
    /** Further arguments of the server. */
    readonly args?: readonly string[];
  },
): Promise<MariadbServer> {
  const { directory, port, password, isThrowaway = false, args: more = [] } = options;
  installMariadb(options);
  const args = [
    ...sharedArgs(isThrowaway),
    `--datadir=${dataIn(directory)}`,
    `--tmpdir=${makeTemporary(directory)}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    // Within its data, where it runs: a whole path may be longer than the system allows for a socket.
    '--socket=mariadb.sock',
    '--pid-file=mariadb.pid',
    '--skip-log-bin',
    '--character-set-server=utf8mb4',
    '--skip-name-resolve',
    ...(password === undefined ? [] : [`--init-file=${writeAccounts(directory, port, password)}`]),
    ...more,
  ];
  const server = await startProcess('mariadbd', args, () => greets(port));
  const login = password === undefined ? 'root' : `root:${password}`;
  return { ...server, url: `mysql://${login}@127.0.0.1:${port}` };
}

/**
 * Writes what the server does before it takes the first connection: every account of its administrator gets the password,
 * and those without a name go. Beside it `client.cnf` lets `mariadb` in; both are for the owner's eyes only.
 */
function writeAccounts(directory: string, port: number, password: string): string {
  const file = join(directory, 'accounts.sql');
  const statements = [
    `UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.plugin', 'mysql_native_password', '$.authentication_string', PASSWORD('${password}')) WHERE User = 'root'`,
    "DELETE FROM mysql.global_priv WHERE User = ''",
    'FLUSH PRIVILEGES',
  ];
  writeFileSync(file, statements.map((each) => `${each};\n`).join(''), { mode: 0o600 });
  const client = [
    '[client]',
    'protocol=tcp',
    'host=127.0.0.1',
    `port=${port}`,
    'user=root',
    `password=${password}`,
  ];
  writeFileSync(join(directory, 'client.cnf'), `${client.join('\n')}\n`, { mode: 0o600 });
  return file;
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
