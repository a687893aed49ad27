import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startMariadbServer } from '../../demo/servers/mariadb-server.ts';
import { freePort } from '../../demo/servers/private-process.ts';

/**
 * One private MariaDB for the whole run; `createDatabase` (database.ts) gives each test file a database of its own.
 * `TEST_MYSQL_URL` names another server in its place, such as a MySQL, whose databases may be made and dropped.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_MYSQL_URL;
  if (given !== undefined) {
    project.provide('mariadbUrl', given);
    return async () => {};
  }
  const directory = mkdtempSync(join(tmpdir(), 'keypad-mariadb-'));
  const server = await startMariadbServer({ directory, port: await freePort(), isThrowaway: true });
  project.provide('mariadbUrl', server.url);
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    mariadbUrl: string;
    /** Whether the large sizes run (`npm run test:long`). */
    isLong: boolean;
  }
}
