import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createCertificates, runWithCa } from '#test/certificates.ts';
import { choosePort } from '#test/ports.ts';
import { type PrivateProcess, startProcess } from '../../demo/servers/private-process.ts';

const { ca, cert, key, directory, remove } = createCertificates();
const port = await choosePort();
const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca];
const listening = ['--port', '0', '--tls-port', `${port}`, '--bind', '127.0.0.1', '--tls-auth-clients', 'no'];
const args = [...listening, ...files, '--save', '', '--dir', directory];
const server: PrivateProcess = await startProcess(
  'redis-server',
  args,
  async () => (await write('rediss://localhost', ca)) === 'OK',
);
afterAll(async () => {
  await server.stop();
  remove();
});

/** What comes of a write. */
function write(url: string, authorities?: string): Promise<string> {
  const file = join(import.meta.dirname, '../../src/server/redis.ts');
  const script = `import { createRedis } from '${file}';
    const redis = createRedis('${url}:${port}');
    redis.once('error', ({ message }) => { console.log(message); process.exit(); });
    redis.set('a', '1').then((answer) => { console.log(answer); process.exit(); }, () => {});`;
  return runWithCa(script, authorities);
}

test('a certificate of a CA of our own counts when Node is told of it, and for its names only', async () => {
  expect(await write('rediss://localhost', ca)).toBe('OK');
  expect(await write('REDISS://localhost', ca)).toBe('OK');
  expect(await write('rediss://localhost')).toMatch(/unable to verify|self-signed/);
  expect(await write('rediss://127.0.0.1', ca)).toMatch(/does not match/);
});
