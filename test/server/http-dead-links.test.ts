import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '#test/tcp-proxy.ts';
import { createPushClient } from '../../src/push/client.ts';
import { createHttpClient, type SendHttp } from '../../src/server/http-client.ts';

const server = createServer((request, response) => {
  const answer = () => response.setHeader('content-type', 'application/json').end('{"accounts":[]}');
  if (request.url === '/slow') setTimeout(answer, 400);
  else answer();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
let proxy: TcpProxy;
let http: ReturnType<typeof createHttpClient>;
beforeEach(async () => {
  proxy = await startTcpProxy(port);
  http = createHttpClient();
});
afterEach(async () => {
  await http.close();
  await proxy.stop();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const CONNECTIONS = 5;
const at = (path: string, to = proxy.port) => new URL(`http://127.0.0.1:${to}${path}`);
const get = (path = '/', timeoutMs = 5000) => http.send({ method: 'GET', url: at(path), timeoutMs });
const inParallel = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: CONNECTIONS }, work));

test('of links that died without FIN one costs a request, and the others are not used again', async () => {
  await inParallel(() => get());
  proxy.swallow();
  await expect(get('/', 300)).rejects.toThrow('within 300 ms');
  for (const { status } of await inParallel(() => get('/', 1000))) expect(status).toBe(200);
});

test('what is under way to a server when a request there gets no answer is finished', async () => {
  await get();
  const slow = get('/slow');
  await expect(get('/slow', 100)).rejects.toThrow('within 100 ms');
  expect(await slow).toMatchObject({ status: 200 });
});

test('a request without an answer costs other servers no connection', async () => {
  let made = 0;
  const count = () => {
    made += 1;
  };
  server.on('connection', count);
  const other = () => http.send({ method: 'GET', url: at('/', port), timeoutMs: 5000 });
  await other();
  await expect(get('/slow', 100)).rejects.toThrow('within 100 ms');
  await other();
  expect(made).toBe(2);
  server.off('connection', count);
});

test('the client of message delivery finds its way past a dead link in a repeat', async () => {
  const send: SendHttp = (request) => http.send({ ...request, timeoutMs: 300 });
  const client = createPushClient({ url: at('/').origin, app: 'ci', key: 'k', send });
  await inParallel(() => client.accounts());
  proxy.swallow();
  expect(await client.accounts()).toEqual([]);
});
