import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createFetchImage, type FetchImageParts } from '../../../src/push/media/fetch-image.ts';

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
const JPG = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(100)]);

/** 127.0.0.2 plays the public internet, 127.0.0.1 what nobody may reach. */
const PUBLIC = '127.0.0.2';
const PRIVATE = '127.0.0.1';

let answer: RequestListener = (_request, response) => response.end(PNG);
const reached: string[] = [];
const servers: Server[] = [];
let port = 0;

async function listen(address: string, at: number): Promise<number> {
  const server = createServer((request, response) => {
    reached.push(`${address}${request.url}`);
    answer(request, response);
  });
  servers.push(server);
  server.listen(at, address);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  port = await listen(PUBLIC, 0);
  await listen(PRIVATE, port);
});
afterEach(() => {
  reached.length = 0;
  answer = (_request, response) => response.end(PNG);
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

const dns: Readonly<Record<string, readonly string[]>> = {
  'public.example': [PUBLIC],
  'private.example': [PRIVATE],
  'both.example': [PUBLIC, PRIVATE],
};

const fetchImage = (url: string, parts: FetchImageParts = {}, signal?: AbortSignal) =>
  createFetchImage({
    lookup: async (host) => (dns[host] ?? []).map((address) => ({ address, family: 4 })),
    isPublic: (address) => address === PUBLIC,
    isWebPort: (text) => text === `${port}`,
    ...parts,
  })(url, signal === undefined ? {} : { signal });

const at = (host: string, path = '/x.png') => `http://${host}:${port}${path}`;
const redirectTo =
  (location: string): RequestListener =>
  (request, response) =>
    request.url === '/there' ? response.end(JPG) : response.writeHead(302, { location }).end();

describe('fetching a picture', () => {
  test('gives its bytes, whatever the address calls it', async () => {
    expect(await fetchImage(at('public.example'))).toEqual({ kind: 'image', name: 'image.png', bytes: PNG });
    answer = (_request, response) => response.end(JPG);
    expect(await fetchImage(at(PUBLIC, '/x.exe'))).toMatchObject({ name: 'image.jpg' });
  });

  test('follows three redirects and no more', async () => {
    answer = redirectTo('/there');
    expect(await fetchImage(at('public.example', '/here'))).toMatchObject({ bytes: JPG });
    let left = 3;
    answer = (_request, response) =>
      left-- > 0 ? response.writeHead(307, { location: `/${left}` }).end() : response.end(PNG);
    expect(await fetchImage(at('public.example'))).toMatchObject({ bytes: PNG });
    left = 4;
    await expect(fetchImage(at('public.example'))).rejects.toThrow('more than 3 times');
  });

  test.each([
    ['is no picture', 'JPG or PNG', (_q, r) => r.end('<html>secret</html>')],
    ['is not found', 'answered with 200', (_q, r) => r.writeHead(404).end('secret')],
    ['is too large', 'at most 10 MB', (_q, r) => r.end(Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]))],
    [
      'breaks off',
      'could not be fetched',
      (_q, r) => r.writeHead(200, { 'content-length': '999' }).write(PNG, () => r.destroy()),
    ],
  ] as readonly (readonly [string, string, RequestListener])[])(
    'is refused when it %s, and tells nothing of what is there',
    async (_what, problem, listener) => {
      answer = listener;
      const refused = await fetchImage(at('public.example')).catch((error: Error) => error.message);
      expect(refused).toContain(problem);
      expect(refused).not.toContain('secret');
    },
  );

  test('ends when the caller gives up, also while the server or DNS says nothing', async () => {
    const abort = new AbortController();
    answer = () => abort.abort();
    await expect(fetchImage(at('public.example'), {}, abort.signal)).rejects.toThrow('could not be fetched');
    const never = fetchImage(at('x.example'), { lookup: () => new Promise(() => {}) }, abort.signal);
    await expect(never).rejects.toThrow('could not be fetched');
  });
});

describe('the guard against requests to inside', () => {
  const refused = async (url: string, parts?: FetchImageParts) => {
    const outcome = await fetchImage(url, parts).catch((error: Error) => `${error.name} ${error.message}`);
    expect(reached.filter((each) => each.startsWith(PRIVATE))).toEqual([]);
    return outcome;
  };
  const NOWHERE = 'InputError imageUrl: must be at a host with public addresses only';

  test.each([PRIVATE, 'private.example', 'both.example', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]'])(
    'refuses %s, and says no more of it than of a host that does not exist',
    async (host) => {
      expect(await refused(at(host))).toBe(NOWHERE);
      expect(await refused(at('nothing.example'))).toBe(NOWHERE);
      expect(reached).toEqual([]);
    },
  );

  test.each([`http://${PRIVATE}`, 'http://private.example', '//private.example', '//127.0.0.1'])(
    'refuses a redirect to %s',
    async (to) => {
      answer = redirectTo(`${to}:${port}/there`);
      expect(await refused(at('public.example', '/here'))).toBe(NOWHERE);
      expect(reached).toEqual([`${PUBLIC}/here`]);
    },
  );

  test.each([
    ['file:///etc/passwd', 'http or https'],
    ['gopher://public.example/', 'http or https'],
    ['http://user:secret@public.example/', 'login'],
    ['http://public.example:22/', 'port'],
    ['nonsense', 'http or https'],
    [`http://public.example/${'x'.repeat(2048)}`, 'http or https'],
  ])('refuses %s, also behind a redirect', async (url, problem) => {
    expect(await refused(url)).toContain(problem);
    if (!URL.canParse(url)) return;
    answer = redirectTo(url);
    expect(await refused(at('public.example', '/here'))).toContain(problem);
  });

  test('connects to the address that was checked, whatever DNS says a moment later', async () => {
    const answers = [PUBLIC, PRIVATE, PRIVATE];
    let lookups = 0;
    const lookup = async () => [{ address: answers[lookups++] ?? PRIVATE, family: 4 }];
    expect(await fetchImage(at('rebinding.example'), { lookup })).toMatchObject({ bytes: PNG });
    expect([lookups, reached]).toEqual([1, [`${PUBLIC}/x.png`]]);
  });

  test('knows only the public internet on ports 80 and 443 unless a test says otherwise', async () => {
    const real = createFetchImage();
    await expect(real(at(PRIVATE))).rejects.toThrow('port');
    for (const host of [PRIVATE, PUBLIC, 'localhost', '169.254.169.254', '[::1]', '10.1.2.3']) {
      await expect(real(`http://${host}/`)).rejects.toThrow('public addresses only');
      await expect(real(`https://${host}:443/`)).rejects.toThrow('public addresses only');
    }
    expect(reached).toEqual([]);
  });
});
