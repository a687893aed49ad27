import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createCertificates } from '#test/certificates.ts';
import { openKubeconfigs } from './kubeconfig-harness.ts';
import { until } from './ops-harness.ts';

const files = await openKubeconfigs();
const { ca, cert, key, remove } = createCertificates();
const other = readFileSync(ca, 'utf8');
afterAll(async () => {
  await files.stop();
  remove();
});
beforeEach(() => {
  files.accepted.clear();
  files.shown.splice(0);
});

/** What a cluster answers that lists deployments. */
const LIST = '{"kind":"DeploymentList","items":[{}]}';
const read = (file: string): string => readFileSync(file, 'utf8');
let made = 0;
const written = (text: string): string => {
  made += 1;
  return files.write(`kubeconfig-${made}`, text);
};

describe('a kubeconfig', () => {
  test.each(['007', '1e3', '0x1F', 'true', 'null', '2026-11-27', '~x'])(
    'has names as text: %s',
    async (name) => {
      files.accepted.add('t');
      // Without quotes, as people write it.
      const text = files.text({ NAME: { token: 't' } }).replaceAll('NAME', name);
      const { lists, connections } = await files.open(written(text));
      expect(connections.problemOf(name)).toBeUndefined();
      expect(await lists(name)).toBe('listed');
    },
  );

  test('of several files is merged as kubectl does: the first says what a name means, missing ones are skipped', async () => {
    files.accepted.add('first').add('second');
    const first = written(files.text({ demo: { token: 'first' } }));
    const second = written(files.text({ demo: { token: 'second' }, more: { token: 'second' } }));
    const { lists } = await files.open(`${files.at('missing')}:${first}::${second}`);
    expect([await lists('demo'), await lists('more')]).toEqual(['listed', 'listed']);
    expect(files.shown).toEqual(['first', 'second']);
  });

  test('leads through its proxy-url, loopback too', async () => {
    files.accepted.add('t');
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, near) => {
      asked.push(request.url ?? '');
      const far = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1');
      far.on('error', () => near.destroy());
      near.on('error', () => far.destroy());
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    const changes = { 'proxy-url': `http://127.0.0.1:${port}` };
    const { connections, lists } = await files.open(written(files.text({ demo: { token: 't' } }, changes)));
    expect(await lists()).toBe('listed');
    expect(asked).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    await connections.close();
    proxy.close();
  });

  test.each<[string, object, RegExp | string]>([
    [
      'another authority',
      { 'certificate-authority-data': Buffer.from(other).toString('base64') },
      '集群 demo 连不上，请稍后再试',
    ],
    ['another name', { 'tls-server-name': 'other.example' }, '集群 demo 连不上，请稍后再试'],
    [
      'a server that need not be known',
      { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true },
      'listed',
    ],
  ])('with %s is obeyed in TLS', async (_, changes, said) => {
    files.accepted.add('t');
    const { lists } = await files.open(written(files.text({ demo: { token: 't' } }, changes)));
    expect(await lists()).toBe(said);
    expect(files.shown).toEqual(said === 'listed' ? ['t'] : []);
  });

  test.each<[string, (name: string) => object]>([
    ['its client certificate', () => ({ 'client-certificate': cert, 'client-key': key })],
    [
      'the client certificate that its plug-in answers',
      (name) => {
        const pair = { clientCertificateData: read(cert), clientKeyData: read(key) };
        const answer = { kind: 'ExecCredential', apiVersion: exec('').apiVersion, status: pair };
        files.write(`${name}.json`, JSON.stringify(answer));
        return { exec: exec(files.program(name, 'cat "$0.json"')) };
      },
    ],
  ])('shows %s to a cluster that demands one', async (what, user) => {
    const server = createTlsServer({
      cert: read(cert),
      key: read(key),
      ca: read(ca),
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('request', (_request, response) => response.end(LIST));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const cluster = {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      'tls-server-name': 'localhost',
      'certificate-authority-data': readFileSync(ca, 'base64'),
    };
    const { connections, lists } = await files.open(
      written(files.text({ demo: user(what.replaceAll(' ', '-')), stranger: {} }, cluster)),
    );
    expect(await lists()).toBe('listed');
    expect(await lists('stranger')).toBe('集群 stranger 连不上，请稍后再试');
    await connections.close();
    server.close();
  });

  test('acts as somebody else, in the headers that kubectl sends', async () => {
    const headers: string[][] = [];
    const server = createServer((request, response) => {
      headers.push(request.rawHeaders);
      response.end(LIST);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const cluster = {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      'certificate-authority-data': undefined,
    };
    const user = {
      token: 't',
      as: '张三',
      'as-uid': '007',
      'as-groups': ['dev', 'ops'],
      'as-user-extra': { 'acme.com/(scope)': ['a', 'b'], reason: ['c'] },
    };
    const { connections, lists } = await files.open(written(files.text({ demo: user }, cluster)));
    expect(await lists()).toBe('listed');
    const [raw = []] = headers;
    const sent = raw.flatMap((name, index) =>
      index % 2 === 0 && /^impersonate/i.test(name)
        ? [`${name.toLowerCase()}: ${Buffer.from(raw[index + 1] ?? '', 'latin1')}`]
        : [],
    );
    expect(sent.sort()).toEqual([
      'impersonate-extra-acme.com%2f%28scope%29: a',
      'impersonate-extra-acme.com%2f%28scope%29: b',
      'impersonate-extra-reason: c',
      'impersonate-group: dev',
      'impersonate-group: ops',
      'impersonate-uid: 007',
      'impersonate-user: 张三',
    ]);
    await connections.close();
    server.close();
  });

  test('that is nowhere, or no kubeconfig, stops the platform', async () => {
    await expect(files.open(files.at('missing'))).rejects.toThrow(/^KUBECONFIG: .*missing is not there/);
    await expect(files.open(written('a: [b'))).rejects.toThrow(/^KUBECONFIG: .*kubeconfig-\d+: is no YAML/);
    await expect(files.open(written('users: 7'))).rejects.toThrow(/^KUBECONFIG: .*kubeconfig-\d+: users: /);
  });

  test.each<[string, object, object, RegExp]>([
    [
      'a login by name and password',
      { username: 'u', password: 'p-secret' },
      {},
      /username, password: is not supported/,
    ],
    ['a field that nobody knows', { tokenfile: 't' }, {}, /users: "bad": tokenfile: is not supported/],
    ['groups without a user', { token: 't', 'as-groups': ['g'] }, {}, /as-groups: needs "as", the user/],
    [
      'an extra without a user',
      { 'as-uid': '7', 'as-user-extra': {} },
      {},
      /as-uid, as-user-extra: needs "as"/,
    ],
    ['a user of two lines', { token: 't', as: 'u\nv' }, {}, /as: has control characters/],
    [
      'an auth-provider',
      { 'auth-provider': { name: 'gcp' } },
      {},
      /auth-provider: is not supported; use exec/,
    ],
    ['two ways to log in', { tokenFile: 'x', exec: exec('a') }, {}, /token, exec: only one/],
    ['a file that is not there', { tokenFile: 'nowhere' }, {}, /tokenFile: .*\/nowhere is not there/],
    [
      'a certificate that is none',
      { 'client-certificate-data': 'eA==', 'client-key-data': 'eA==' },
      {},
      /client-certificate-data: holds no PEM/,
    ],
    [
      'a plug-in for terminals',
      { exec: { ...exec('a'), interactiveMode: 'Always' } },
      {},
      /interactiveMode: Always needs somebody/,
    ],
    [
      'a plug-in of an old version',
      { exec: { ...exec('a'), apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
      {},
      /exec\.apiVersion: /,
    ],
    [
      'socks5',
      { token: 't' },
      { 'proxy-url': 'socks5://127.0.0.1:1' },
      /clusters: "here": proxy-url: must be an address that begins with https?:/,
    ],
    [
      'plain http',
      { token: 't' },
      { server: 'http://example.com' },
      /clusters: "here": server: must be https/,
    ],
    [
      'no authority',
      { token: 't' },
      { 'certificate-authority-data': 'eA==' },
      /certificate-authority-data: holds no PEM/,
    ],
  ])(
    'with %s is refused by file, entry and field, and costs its contexts alone',
    async (_, user, cluster, why) => {
      files.accepted.add('t');
      const bad = written(files.text({ bad: user }, cluster));
      const good = written(files.text({ demo: { token: 't' } }).replaceAll('here', 'there'));
      const { connections, lists } = await files.open(`${bad}:${good}`);
      expect(connections.problemOf('bad')).toMatch(why);
      expect(connections.problemOf('bad')).toContain(`KUBECONFIG: ${bad}: `);
      expect(connections.problemOf('bad')).not.toContain('p-secret');
      expect(await lists('demo')).toBe('listed');
    },
  );

  test('without an entry that it names is refused by the name', async () => {
    const text = files.text({ demo: {} }).replace('user: demo', 'user: nobody');
    const { connections } = await files.open(written(text));
    expect(connections.problemOf('demo')).toContain('there is no entry "nobody" in users');
    expect(connections.problemOf('other')).toBe('KUBECONFIG has no context "other"');
  });
});

describe('what changes', () => {
  test('a tokenFile is obeyed, from the folder of its kubeconfig, and read again when the cluster has dropped the token', async () => {
    files.accepted.add('old');
    files.write('rotating/token', 'old\n');
    const { lists } = await files.open(
      files.write('rotating/kubeconfig', files.text({ demo: { tokenFile: 'token' } })),
    );
    expect(await lists()).toBe('listed');
    files.accepted.clear();
    files.accepted.add('new');
    // As Kubernetes does it: another file takes the place.
    renameSync(files.write('rotating/next', 'new\n'), files.at('rotating/token'));
    expect(await lists()).toBe('listed');
    expect(files.shown).toEqual(['old', 'old', 'new']);
  });

  test('a new kubeconfig counts without a restart', async () => {
    files.accepted.add('new');
    const file = written(files.text({ demo: { token: 'old' } }));
    const { connections, lists, accepts, refused } = await files.open(file);
    writeFileSync(file, files.text({ demo: { token: 'new' }, more: { token: 'new' } }));
    await connections.reload();
    expect([await lists(), await lists('more')]).toEqual(['listed', 'listed']);
    expect([files.shown, accepts(), refused]).toEqual([['new', 'new'], 1, []]);
  });

  test('what changes is noticed without a signal', async () => {
    const file = written(files.text({ demo: { token: 'old' } }));
    const { connections, accepts } = await files.open(file);
    connections.start();
    writeFileSync(file, files.text({ demo: { token: 'new' } }));
    await until(async () => accepts() === 1);
  });

  test.each<[string, (file: string) => void]>([
    ['no YAML', (file) => writeFileSync(file, 'users: [')],
    ['gone', (file) => rmSync(file)],
    ['without the context in use', (file) => writeFileSync(file, files.text({ other: { token: 't' } }))],
    ['wrong in what is in use', (file) => writeFileSync(file, files.text({ demo: { token: 't', odd: 1 } }))],
  ])('a new one that is %s is told once, and the old one goes on', async (_, spoil) => {
    files.accepted.add('t');
    const good = files.text({ demo: { token: 't' } });
    const file = written(good);
    const { connections, lists, refused, accepts } = await files.open(file);
    spoil(file);
    await connections.reload();
    await connections.reload();
    expect(refused).toEqual([expect.stringMatching(/^KUBECONFIG/)]);
    expect(await lists()).toBe('listed');
    writeFileSync(file, good);
    await connections.reload();
    expect([accepts(), await lists()]).toEqual([1, 'listed']);
  });

  test('what is wrong at one look only, while files are replaced, is not told', async () => {
    const good = files.text({ demo: { token: 't' } });
    const file = written(good);
    const { connections, lists, refused } = await files.open(file);
    writeFileSync(file, 'users: [');
    // A look at the files comes with the 401 that is answered here.
    expect(await lists()).toBe('集群 demo 不允许 Keypad 这样做（401）');
    writeFileSync(file, `# mended\n${good}`);
    await connections.reload();
    expect(refused).toEqual([]);
  });
});

function exec(command: string) {
  return { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' };
}
