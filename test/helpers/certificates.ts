import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Files of a CA and of a server's certificate that it signed. */
export interface Certificates {
  readonly directory: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

/** Makes them in a folder of their own, valid for a day, and for these names alone. */
export function createCertificates(names: readonly string[] = ['localhost']): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-tls-'));
  const at = (name: string) => join(directory, name);
  const openssl = (line: string, ...files: readonly string[]) =>
    execFileSync('openssl', [...line.split(' '), ...files], { stdio: 'pipe' });
  const pair = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ours';
  openssl(`req -x509 ${pair} -days 1 -keyout`, at('ca.key'), '-out', at('ca.pem'));
  openssl(`req ${pair} -keyout`, at('key.pem'), '-out', at('request.pem'));
  writeFileSync(at('names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`);
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')];
  openssl('x509 -req -days 1 -in', at('request.pem'), ...signer, '-out', at('cert.pem'));
  return {
    directory,
    ca: at('ca.pem'),
    cert: at('cert.pem'),
    key: at('key.pem'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What a process of its own prints, which is told of these CAs before it starts, as a role is; `script` is a module. */
export async function runWithCa(
  script: string,
  authorities?: string,
  more: NodeJS.ProcessEnv = {},
): Promise<string> {
  const env = {
    ...process.env,
    ...more,
    ...(authorities !== undefined && { NODE_EXTRA_CA_CERTS: authorities }),
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env,
  });
  return stdout.trim();
}
