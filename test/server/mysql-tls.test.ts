import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createCertificates, runWithCa } from '#test/certificates.ts';
import { startPrivateDatabase } from '#test/private-database.ts';

const { ca, cert, key, remove } = createCertificates();
const [server, plain] = await Promise.all([
  startPrivateDatabase([`--ssl-cert=${cert}`, `--ssl-key=${key}`]),
  startPrivateDatabase(['--skip-ssl']),
]);
await server.admin(`create user 'a@b'@'%' identified by 'p%2F/?#:@'`);
afterAll(async () => {
  await Promise.all([server.stop(), plain.stop()]);
  remove();
});

/** How the connection to an address is encrypted, `in plain text`, or why there is none. */
function connectTo(address: string, authorities?: string): Promise<string> {
  const file = join(import.meta.dirname, '../../src/server/mysql.ts');
  const script = `import { openPool } from '${file}';
    const end = (text) => { console.log(text); process.exit(); };
    openPool('${address}').getConnection((error, connection) => {
      if (error) return end(error.code + ': ' + error.message);
      connection.query("show status like 'Ssl_version'", [], (failed, rows) => end(rows[0].Value || 'in plain text'));
    });`;
  return runWithCa(script, authorities);
}

const at = (host: string, behind: string, { port } = server) =>
  `mysql://keypad@${host}:${port}/keypad${behind}`;

describe('the words of an address hold', () => {
  test.each([
    ['', 'localhost', undefined, 'in plain text'],
    ['?ssl-mode=DISABLED', 'localhost', undefined, 'in plain text'],
    ['?ssl-mode=REQUIRED', '127.0.0.1', undefined, 'TLSv1.3'],
    ['?ssl-mode=VERIFY_CA', '127.0.0.1', undefined, 'HANDSHAKE_SSL_ERROR'],
    ['?ssl-mode=VERIFY_CA', '127.0.0.1', ca, 'TLSv1.3'],
    ['?ssl-mode=VERIFY_IDENTITY', 'localhost', undefined, 'HANDSHAKE_SSL_ERROR'],
    ['?ssl-mode=VERIFY_IDENTITY', 'localhost', ca, 'TLSv1.3'],
    // It is a name that leads to this machine, too, and stands in no certificate.
    ['?ssl-mode=verify_identity', '127.1', ca, 'HANDSHAKE_SSL_ERROR'],
  ])('%s for %s with the CA %s', async (behind, host, authorities, expected) => {
    expect(await connectTo(at(host, behind), authorities)).toContain(expected);
  });

  test.each(['REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'])(
    '%s at a server without TLS is no connection, and never plain text',
    async (mode) => {
      expect(await connectTo(at('localhost', `?ssl-mode=${mode}`, plain), ca)).toContain(
        'HANDSHAKE_NO_SSL_SUPPORT',
      );
    },
  );
});

test('a login is what its codes say', async () => {
  const { port } = server;
  expect(await connectTo(`mysql://a%40b:p%252F%2F%3F%23%3A%40@127.0.0.1:${port}?ssl-mode=REQUIRED`)).toBe(
    'TLSv1.3',
  );
});
