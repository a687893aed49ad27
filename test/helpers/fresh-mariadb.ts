import { cpSync } from 'node:fs';
import { inject } from 'vitest';
import { dataIn } from '../../demo/servers/mariadb-server.ts';

/** Puts the data of a fresh MariaDB where a server is to be started: a copy takes a fifth of the time that making them takes. */
export function putFreshMariadb(directory: string): void {
  cpSync(inject('freshMariadb'), dataIn(directory), { recursive: true });
}
