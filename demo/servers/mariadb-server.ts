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

/** Starts a private mariadbd on loopback; the first start makes its data directory (about a second). */
export async function startMariadbServer(options: {
  directory: string;
  port: number;
  /** For data that nobody needs after the run, such as those of tests. */
  isThrowaway?: boolean;
  /** Further arguments of the server. */
  args?: readonly string[];
}): Promise<MariadbServer> {
  const { directory, port, isThrowaway = false, args: more = [] } = options;
  const syncing = isThrowaway ? UNSYNCED : [];
  const data = join(directory, 'data');
  // Servers that share /tmp clean away each other's temporary tables.
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const user = userInfo().username;
  if (!existsSync(join(data, 'mysql'))) {
    mkdirSync(data, { recursive: true });
    const install = [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      '--auth-root-authentication-method=normal',
    ];
    execFileSync('mariadb-install-db', [...install, '--skip-test-db', `--user=${user}`, ...syncing], {
      stdio: 'pipe',
    });
  }
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
    `--user=${user}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${join(directory, 'mariadb.sock')}`,
    `--pid-file=${join(directory, 'mariadb.pid')}`,
    '--skip-log-bin',
    '--character-set-server=utf8mb4',
    '--skip-name-resolve',
    ...syncing,
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
