import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KeyPair, makeKeyPair } from '../src/contract/keys.ts';

/** Every secret of a demo. */
export interface Credentials {
  readonly corpId: string;
  readonly agentId: number;
  readonly secret: string;
  readonly token: string;
  readonly encodingAesKey: string;
  readonly clusterToken: string;
  /** Of the caches of the teams. */
  readonly cacheToken: string;
  readonly auditKey: string;
  readonly databasePassword: string;
  /** Of the administrators of the demo's MariaDB and Redis. */
  readonly serverPassword: string;
  readonly masterKey: string;
  /** Of the robot `ops-room`. */
  readonly robotKey: string;
  readonly keys: KeyPair;
}

/** Reads the secrets that the first run made up, or makes them up: what was signed and chained must go on to verify. */
export async function loadCredentials(directory: string): Promise<Credentials> {
  const file = join(directory, 'credentials.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Credentials>) : {};
  const credentials: Credentials = {
    corpId: `ww${randomBytes(8).toString('hex')}`,
    agentId: 1_000_002,
    secret: letters(43),
    token: letters(24),
    encodingAesKey: letters(43),
    clusterToken: letters(40),
    cacheToken: letters(40),
    auditKey: letters(48),
    databasePassword: letters(32),
    serverPassword: letters(32),
    masterKey: letters(48),
    robotKey: letters(36),
    keys: await makeKeyPair(),
    // What an earlier version did not know of is made up now.
    ...kept,
  };
  writeFileSync(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  return credentials;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function letters(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
