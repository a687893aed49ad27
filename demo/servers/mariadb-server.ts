import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
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
    /** Letters and digits: of the server's own administrator, who has none when left out. */
    readonly password?: string;
    /** Further arguments of the server. */
    readonly args?: readonly string[];
  },
): Promise<MariadbServer> {
  const { directory, port, password, args: more = [] } = options;
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
