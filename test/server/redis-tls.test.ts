import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { choosePort } from '#test/ports.ts';
import { type PrivateProcess, startProcess } from '../../demo/servers/private-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-tls-'));
const at = (name: string) => join(directory, name);
const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' });

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
openssl(
  'req',
  '-x509',
  ...key,
  '-keyout',
  at('ca.key'),
  '-out',
  at('ca.pem'),
  '-subj',
  '/CN=ours',
  '-days',
  '1',
);
openssl('req', ...key, '-keyout', at('redis.key'), '-out', at('redis.csr'), '-subj', '/CN=redis');
writeFileSync(at('names'), 'subjectAltName=DNS:localhost');
const ca = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
openssl(
  'x509',
  '-req',
  '-in',
  at('redis.csr'),
  ...ca,
  '-out',
  at('redis.pem'),
  '-days',
  '1',
  '-extfile',
  at('names'),
);

const port = await choosePort();
const files = [
  '--tls-cert-file',
  at('redis.pem'),
  '--tls-key-file',
  at('redis.key'),
  '--tls-ca-cert-file',
  at('ca.pem'),
];
const listening = ['--port', '0', '--tls-port', `${port}`, '--bind', '127.0.0.1', '--tls-auth-clients', 'no'];
const args = [...listening, ...files, '--save', '', '--dir', directory];
const server: PrivateProcess = await startProcess(
  'redis-server',
  args,
  async () => write('localhost', at('ca.pem')) === 'OK',
);
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What comes of a write by a process that is told of these CAs before it starts, as a role is. */
function write(host: string, authorities?: string): string {
  const file = join(import.meta.dirname, '../../src/server/redis.ts');
  const script = `import { createRedis } from '${file}';
    const redis = createRedis('rediss://${host}:${port}');
    redis.once('error', ({ message }) => { console.log(message); process.exit(); });
    redis.set('a', '1').then((answer) => { console.log(answer); process.exit(); }, () => {});`;
  const env = { ...process.env, ...(authorities !== undefined && { NODE_EXTRA_CA_CERTS: authorities }) };
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], { env }).toString().trim();
}

test('a certificate of a CA of our own counts when Node is told of it, and for its names only', () => {
  expect(write('localhost', at('ca.pem'))).toBe('OK');
  expect(write('localhost')).toMatch(/unable to verify|self-signed/);
  expect(write('127.0.0.1', at('ca.pem'))).toMatch(/does not match/);
});
