import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { dataIn, installMariadb, startMariadbServer } from '../../demo/servers/mariadb-server.ts';
import { choosePort } from './ports.ts';

/**
 * One private MariaDB for the whole run; `createDatabase` (database.ts) gives each test file a database of its own.
 * `TEST_MYSQL_URL` names another server in its place, such as a MySQL, whose databases may be made and dropped.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-mariadb-'));
  installMariadb({ directory, isThrowaway: true });
  const fresh = join(directory, 'fresh');
  cpSync(dataIn(directory), fresh, { recursive: true });
  project.provide('freshMariadb', fresh);
  const given = process.env.TEST_MYSQL_URL;
  const server =
    given === undefined
      ? await startMariadbServer({ directory, port: await choosePort(), isThrowaway: true })
      : undefined;
  project.provide('mariadbUrl', server?.url ?? given ?? '');
  return async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    mariadbUrl: string;
    /** The data of a MariaDB that was never started, for servers of single tests (fresh-mariadb.ts). */
    freshMariadb: string;
    /** Whether the large sizes run (`npm run test:long`). */
    isLong: boolean;
    isAttack: boolean;
  }
}
