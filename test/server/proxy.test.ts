import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createCertificates, runWithCa } from '#test/certificates.ts';
import type { HttpProxies } from '../../src/server/http-client.ts';
import { readNoProxy } from '../../src/server/no-proxy.ts';

const { ca, cert, key, remove } = createCertificates(['localhost', 'wecom.example']);
const tls = { cert: readFileSync(cert), key: readFileSync(key) };
const sockets = new Set<Socket>();
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
  remove();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const seen: string[] = [];
beforeEach(() => void seen.splice(0));

/** A proxy as squid is one: it answers plain requests, here by itself, and makes tunnels, here all of them to loopback. */
function asProxy(name: string, server: Server): Server {
  const login = ({ headers }: IncomingMessage) => headers['proxy-authorization'] ?? 'nobody';
  server.on('request', (request, response) => {
    seen.push(`${name}: ${request.method} ${request.url} by ${login(request)}`);
    response.end('passed on');
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    seen.push(`${name}: CONNECT ${request.url} by ${login(request)}`);
    const through = connect({ host: '127.0.0.1', port: Number(request.url?.split(':').at(-1)) });
    sockets.add(through);
    through.on('error', () => client.destroy());
    client.on('error', () => through.destroy());
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(through).pipe(client);
  });
  return server;
}

const secure = await listen(createHttpsServer(tls, (_request, response) => response.end('in TLS')));
const plain = await listen(createHttpServer((_request, response) => response.end('direct')));
const proxy = await listen(asProxy('proxy', createHttpServer()));
const tlsProxy = await listen(asProxy('proxy by TLS', createHttpsServer(tls)));
const address = `http://127.0.0.1:${proxy}`;

const file = (path: string) => join(import.meta.dirname, '../../src', path);

/** What a process of its own prints whose environment names the proxy in every way there is, with Node's own switch on. */
async function printed(script: string): Promise<readonly string[]> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  const env = Object.fromEntries(names.map((name) => [name, address]));
  return JSON.parse(await runWithCa(script, ca, { ...env, NODE_USE_ENV_PROXY: '1' })) as readonly string[];
}

/** What the client of a role that is told of these proxies gets from the addresses. */
function get(urls: readonly string[], proxies: HttpProxies): Promise<readonly string[]> {
  return printed(`
    import { createHttpClient } from '${file('server/http-client.ts')}';
    const { send, close } = createHttpClient(${JSON.stringify(proxies)});
    const all = ${JSON.stringify(urls)}.map((url) => send({ method: 'GET', url: new URL(url), timeoutMs: 5000 }));
    const answers = await Promise.allSettled(all);
    console.log(JSON.stringify(answers.map(({ value, reason }) => value?.text ?? reason.message)));
    await close();`);
}

describe('a proxy that is set', () => {
  const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;

  test('tunnels https, where who is called still has to prove its name, and passes http on', async () => {
    const urls = [
      `https://wecom.example:${secure}/`,
      `https://other.example:${secure}/`,
      `http://hook.example:${plain}/a`,
    ];
    const proxies = { httpsProxy: address.replace('//', '//me:p%40ss@'), httpProxy: address };
    expect(await get(urls, proxies)).toEqual([
      'in TLS',
      'no answer (ERR_TLS_CERT_ALTNAME_INVALID)',
      'passed on',
    ]);
    expect(seen.toSorted()).toEqual([
      `proxy: CONNECT other.example:${secure} by ${basic}`,
      `proxy: CONNECT wecom.example:${secure} by ${basic}`,
      `proxy: GET http://hook.example:${plain}/a by nobody`,
    ]);
  });

  test('is reached by TLS when its address says so', async () => {
    const url = `https://wecom.example:${secure}/`;
    expect(await get([url], { httpsProxy: `https://localhost:${tlsProxy}` })).toEqual(['in TLS']);
    expect(seen).toEqual([`proxy by TLS: CONNECT wecom.example:${secure} by nobody`]);
    // No way round it, and none in plain text.
    expect(await get([url], { httpsProxy: `https://127.0.0.1:${tlsProxy}` })).toEqual([
      expect.stringMatching(/^no answer \(/),
    ]);
    expect(seen).toHaveLength(1);
  });

  test('is never taken to loopback, nor to what NO_PROXY names: hosts, domains, ports and networks', async () => {
    const direct = [`https://localhost:${secure}/`, `http://127.0.0.1:${plain}/`];
    const proxies = { httpsProxy: address, httpProxy: address };
    expect(await get(direct, proxies)).toEqual(['in TLS', 'direct']);
    const noProxy = 'A.invalid,.b.invalid c.invalid:81, 0.0.0.0/8';
    const excepted = ['http://a.invalid', 'http://x.b.invalid', 'http://b.invalid', 'http://c.invalid:81'];
    for (const answer of await get(excepted, { ...proxies, noProxy })) expect(answer).toMatch(/^no answer/);
    // That is this machine, too.
    expect(await get([`http://0.0.0.0:${plain}/`], { ...proxies, noProxy })).toEqual(['direct']);
    expect(seen).toEqual([]);
    const others = ['http://aa.invalid/', 'http://c.invalid/', 'http://1.0.0.1:9/', 'http://[100::5]:9/'];
    expect(new Set(await get(others, { ...proxies, noProxy }))).toEqual(new Set(['passed on']));
    expect(seen.toSorted()).toEqual(others.map((url) => `proxy: GET ${url} by nobody`).toSorted());
  });

  test.each([
    ['10.0.0.0/8', ['10.1.2.3'], ['11.0.0.1', '::a01:203', '10.example']],
    ['10.1.2.3/32 fd00::/8', ['10.1.2.3', 'fd12::1'], ['10.1.2.4', 'fe80::1']],
    ['0.0.0.0/0', ['198.51.100.7'], ['2001:db8::1', 'wecom.example']],
  ])('a network of NO_PROXY has its addresses, and no name: %s', (text, inside, outside) => {
    const { hasAddress, names } = readNoProxy(`.a, ${text}`);
    expect([names, inside.map(hasAddress), outside.map(hasAddress)]).toEqual([
      ['.a'],
      inside.map(() => true),
      outside.map(() => false),
    ]);
  });
});

describe('what never takes a proxy, whatever the environment and Node’s own switch say', () => {
  test('is a client that is told of none: the roles among each other', async () => {
    for (const answer of await get(['http://a.invalid', `https://wecom.example:${secure}`], {})) {
      expect(answer).toMatch(/^no answer/);
    }
    expect(seen).toEqual([]);
  });

  test('is the way to pictures by address, of which only so it is certain that they are public', async () => {
    const script = `
      import { createFetchImage } from '${file('push/media/fetch-image.ts')}';
      const lookup = async () => [{ address: '127.0.0.1', family: 4 }];
      const fetchImage = createFetchImage({ lookup, isPublic: () => true, isWebPort: () => true });
      const urls = ['http://picture.example:${plain}/', 'https://wecom.example:${secure}/'];
      const answers = await Promise.allSettled(urls.map((url) => fetchImage(url)));
      console.log(JSON.stringify(answers.map(({ reason }) => reason.message)));`;
    // They were reached, and are none.
    expect(new Set(await printed(script))).toEqual(new Set(['imageUrl: must be a JPG or PNG']));
    expect(seen).toEqual([]);
  });
});
