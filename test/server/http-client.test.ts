import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mayHaveArrived, NoAnswer } from '../../src/errors.ts';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpProxies,
  type HttpRequest,
} from '../../src/server/http-client.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function open(proxies?: HttpProxies) {
  const client = createHttpClient(proxies);
  closing.push(client.close);
  return {
    ...client,
    send: (request: Partial<HttpRequest> & Pick<HttpRequest, 'url'>): Promise<HttpAnswer> =>
      client.send({ method: 'POST', body: '{}', timeoutMs: 5000, ...request }),
  };
}

/** Listens on a free port of loopback. */
async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTP server; `sockets` has the connections that were made. */
async function serve(answer: RequestListener) {
  const server = createServer(answer);
  const sockets: IncomingMessage['socket'][] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const port = await listen(server);
  return { server, sockets, port, url: new URL(`http://127.0.0.1:${port}/path?a=b`) };
}

const failure = async (work: Promise<unknown>): Promise<NoAnswer> => {
  const error = await work.catch((reason: unknown) => reason);
  if (error instanceof NoAnswer) return error;
  throw new Error(`expected a NoAnswer, got ${error}`);
};

describe('a request', () => {
  test('goes out with method, target, headers and body, and brings status and text', async () => {
    const seen: unknown[] = [];
    const { url } = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { 'x-a': a, 'content-length': length } = request.headers;
      seen.push([request.method, request.url, a, length, body]);
      response.writeHead(418).end('答');
    });
    const { send } = open();
    expect(await send({ url, headers: { 'x-a': '1' }, body: '好' })).toEqual({ status: 418, text: '答' });
    expect(await send({ url, body: Buffer.from([65, 66]) })).toMatchObject({ status: 418 });
    const { send: bare } = createHttpClient();
    await bare({ method: 'GET', url, timeoutMs: 5000 });
    expect(seen).toEqual([
      ['POST', '/path?a=b', '1', '3', '好'],
      ['POST', '/path?a=b', undefined, '2', 'AB'],
      ['GET', '/path?a=b', undefined, undefined, ''],
    ]);
  });

  test('uses a connection that is there, and shares it with no other request', async () => {
    const waiting: ServerResponse[] = [];
    const { url, sockets } = await serve((request, response) => {
      if (request.headers['x-together'] === undefined) response.end('ok');
      else if (waiting.push(response) === 300) for (const each of waiting) each.end('ok');
    });
    const { send } = open();
    for (let count = 0; count < 9; count += 1) await send({ url });
    // A request may go out just before the connection of the last one counts as free.
    expect(sockets.length).toBeLessThan(3);
    const together = Array.from({ length: 300 }, () => send({ url, headers: { 'x-together': '1' } }));
    expect(new Set((await Promise.all(together)).map(({ text }) => text))).toEqual(new Set(['ok']));
    expect(new Set(waiting.map(({ req }) => req.socket)).size).toBe(300);
  });

  test('leaves a connection at rest before the time that its server names', async () => {
    const left = Promise.withResolvers<void>();
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('data', () =>
          socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 0\r\n\r\n'),
        );
        socket.on('end', left.resolve);
      }),
    );
    await open().send({ url: new URL(`http://127.0.0.1:${port}`) });
    await left.promise;
  });

  test('follows no redirect', async () => {
    const paths: (string | undefined)[] = [];
    const { url } = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await open().send({ url })).toEqual({ status: 307, text: '' });
    expect(paths).toEqual(['/path?a=b']);
  });
});

describe('a limit', () => {
  test('of time holds for the body too, and the connection is left for good', async () => {
    let calls = 0;
    const left = Promise.withResolvers<void>();
    const { url, sockets } = await serve((_request, response) => {
      calls += 1;
      if (calls > 1) return response.end('ok');
      response.writeHead(200).write('half of');
      return response.on('close', left.resolve);
    });
    const { send } = open();
    const error = await failure(send({ url, timeoutMs: 300 }));
    expect([error.message, error.mayHaveArrived]).toEqual(['no answer within 300 ms', true]);
    await left.promise;
    expect(await send({ url })).toEqual({ status: 200, text: 'ok' });
    expect([calls, sockets.length]).toEqual([2, 2]);
  });

  test('of size is 1 MiB, or what the caller says', async () => {
    const { url } = await serve((request, response) =>
      response.end('a'.repeat(Number(request.headers['x-size']))),
    );
    const { send } = open();
    const ask = (size: number, maxBytes?: number) =>
      send({ url, headers: { 'x-size': `${size}` }, ...(maxBytes !== undefined && { maxBytes }) });
    const mebi = 1024 * 1024;
    expect((await ask(mebi)).text).toHaveLength(mebi);
    const error = await failure(ask(mebi + 1));
    expect([error.message, error.mayHaveArrived]).toEqual(['no answer of at most 1048576 bytes', true]);
    expect((await ask(mebi + 1, 2 * mebi)).text).toHaveLength(mebi + 1);
  });

  test('of nothing wants the status alone, whatever comes behind it', async () => {
    const cut = Promise.withResolvers<void>();
    const { url, sockets } = await serve((request, response) => {
      response.writeHead(202);
      if (request.headers['x-long'] === undefined) return response.end('short');
      response.write('a'.repeat(200_000));
      return response.on('close', cut.resolve);
    });
    const { send } = open();
    for (let count = 0; count < 9; count += 1) {
      expect(await send({ url, maxBytes: 0 })).toEqual({ status: 202, text: '' });
    }
    expect(sockets.length).toBeLessThan(3);
    const long = { url, maxBytes: 0, headers: { 'x-long': '1' } };
    expect(await send(long)).toEqual({ status: 202, text: '' });
    await cut.promise;
  });
});

describe('what may have arrived is never sent again:', () => {
  test.each([
    ['reset', 'ECONNRESET'],
    ['closed', 'UND_ERR_SOCKET'],
  ] as const)('a connection that is %s as a request goes out on it', async (how, code) => {
    let requests = 0;
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => {
          requests += 1;
          if (requests % 2 === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
          else if (how === 'reset') socket.resetAndDestroy();
          else socket.end();
        });
      }),
    );
    const { send } = open();
    const url = new URL(`http://127.0.0.1:${port}/`);
    expect(await send({ url })).toEqual({ status: 200, text: 'ok' });
    const error = await failure(send({ url }));
    expect([error.message, mayHaveArrived(error)]).toEqual([`no answer (${code})`, true]);
    expect(await send({ url })).toEqual({ status: 200, text: 'ok' });
    expect(requests).toBe(3);
  });

  test('an answer that breaks off, or is none', async () => {
    let answer = '';
    const port = await listen(createTcpServer((socket) => socket.on('data', () => socket.end(answer))));
    const { send } = open();
    for (answer of ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok', '', 'SSH-2.0-OpenSSH\r\n\r\n']) {
      expect(await failure(send({ url: new URL(`http://127.0.0.1:${port}`) }))).toMatchObject({
        mayHaveArrived: true,
      });
    }
  });
});

describe('nothing was sent', () => {
  test('where nobody listens, no such host is, or TLS fails', async () => {
    const { port, server } = await serve((_request, response) => response.end());
    const { send } = open();
    const tls = await failure(send({ url: new URL(`https://127.0.0.1:${port}/?secret`) }));
    const name = await failure(send({ url: new URL('http://nobody.invalid/?secret') }));
    server.close();
    const refused = await failure(send({ url: new URL(`http://127.0.0.1:${port}/?secret`) }));
    expect([tls, name, refused].map(mayHaveArrived)).toEqual([false, false, false]);
    expect(refused.message).toBe('no answer (ECONNREFUSED)');
    for (const { message, stack, cause } of [tls, name, refused]) {
      expect(`${message}${stack}${cause}`).not.toContain('secret');
    }
  });

  test('while TLS is not agreed on', async () => {
    const port = await listen(createTcpServer((socket) => closing.push(() => socket.destroy())));
    const error = await failure(open().send({ url: new URL(`https://127.0.0.1:${port}`), timeoutMs: 100 }));
    expect([error.message, error.mayHaveArrived]).toEqual(['no answer within 100 ms', false]);
  });

  test('when the time is over before the connection stands, nor later', async () => {
    let requests = 0;
    const { url, sockets } = await serve((_request, response) => {
      requests += 1;
      response.end();
    });
    const { send } = open();
    // After this come the timers, and only then what happens to connections: the time is over first.
    await new Promise((resolve) => setImmediate(resolve));
    const late = failure(send({ url, timeoutMs: 1 }));
    for (const start = performance.now(); performance.now() - start < 20; );
    expect((await late).mayHaveArrived).toBe(false);
    await expect.poll(() => sockets.length).toBe(1);
    await send({ url });
    expect(requests).toBe(1);
  });

  test('when the process stood still until the connection stood, and its timers have not come yet', async () => {
    let requests = 0;
    const { url } = await serve((_request, response) => {
      requests += 1;
      response.end();
    });
    const { send } = open();
    const late = failure(send({ url, timeoutMs: 60_000 }));
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_001);
    try {
      expect((await late).mayHaveArrived).toBe(false);
    } finally {
      clock.mockRestore();
    }
    await send({ url });
    expect(requests).toBe(1);
  });
});

describe('a proxy', () => {
  /** A proxy that answers plain requests itself, and refuses tunnels with the code. */
  async function startProxy(tunnels: number) {
    const seen: string[] = [];
    const { port, server } = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      response.end('by proxy');
    });
    server.on('connect', ({ url }, socket) => {
      seen.push(`CONNECT ${url}`);
      socket.end(`HTTP/1.1 ${tunnels} No\r\n\r\n`);
    });
    return { seen, address: `http://127.0.0.1:${port}` };
  }

  test('is used for both schemes, with the login in its address', async () => {
    const { seen, address } = await startProxy(403);
    const withLogin = address.replace('//', '//me:word@');
    const { send } = open({ httpProxy: withLogin, httpsProxy: address });
    expect(await send({ url: new URL('http://wecom.invalid/a') })).toMatchObject({ text: 'by proxy' });
    const error = await failure(send({ url: new URL('https://wecom.invalid/a?secret') }));
    expect([error.mayHaveArrived, `${error.message}${error.stack}`.includes('secret')]).toEqual([
      false,
      false,
    ]);
    expect(seen).toEqual([
      `POST http://wecom.invalid/a Basic ${Buffer.from('me:word').toString('base64')}`,
      'CONNECT wecom.invalid:443',
    ]);
  });

  test('is never used for the hosts that are excepted, nor for loopback; and what the environment says counts for nothing', async () => {
    const { seen, address } = await startProxy(403);
    const direct = await serve((_request, response) => response.end('direct'));
    vi.stubEnv('HTTP_PROXY', address);
    closing.push(() => vi.unstubAllEnvs());
    const { send } = open({ httpProxy: address, noProxy: 'other.invalid,.wecom.invalid' });
    expect(await send({ url: direct.url })).toMatchObject({ text: 'direct' });
    for (const host of ['api.wecom.invalid', 'other.invalid']) {
      expect((await failure(send({ url: new URL(`https://${host}`) }))).mayHaveArrived).toBe(false);
    }
    await failure(open().send({ url: new URL('http://wecom.invalid') }));
    expect(seen).toEqual([]);
  });
});

test('closing drops all connections, with what is under way on them', async () => {
  const { url, sockets } = await serve((request, response) => {
    if (request.headers['x-hang'] === undefined) response.end();
  });
  const { send, close } = open();
  await Promise.all([send({ url }), send({ url })]);
  const [arrived] = [once(sockets[0] as IncomingMessage['socket'], 'data')];
  const hanging = failure(send({ url, headers: { 'x-hang': '1' } }));
  await arrived;
  const closed = sockets.map((socket) => once(socket, 'close'));
  await close();
  expect((await hanging).mayHaveArrived).toBe(true);
  await Promise.all(closed);
  expect((await failure(send({ url }))).mayHaveArrived).toBe(false);
});
