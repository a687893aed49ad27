import { afterEach, describe, expect, test } from 'vitest';
import { openRaw } from '#test/raw-http.ts';
import { createHttpServer, timeLimits } from '../../src/server/http-server.ts';
import { startInternal } from '../../src/server/internal.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';

const LIMIT_MS = 150;
const log = createLog({ level: 'silent' });
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server of a role that would answer any POST. */
async function startRole(): Promise<string> {
  const app = createHttpServer({
    log,
    trustedProxies: [],
    requestTimeout: LIMIT_MS,
    serves: 'POST /',
    refuse: (_as, _request, reply) => reply.send(),
  });
  app.post('/', async () => 'taken');
  closers.push(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function startInternalPort(): Promise<string> {
  const parts = { role: 'bot', host: '127.0.0.1', port: 0, registry: createRegistry(), checks: {}, log };
  const { url, close } = await startInternal({ ...parts, requestMs: LIMIT_MS });
  closers.push(close);
  return url;
}

const slow = [
  ['that says nothing', ''],
  ['whose headers never end', 'POST / HTTP/1.1\r\nHost: a\r\nX-More: '],
  [
    'whose body never ends',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"x',
  ],
  [
    'whose chunks never end',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"\r\n',
  ],
] as const;

describe.each([
  ['a role', startRole],
  ['the internal port', startInternalPort],
])('the server of %s', (_name, start) => {
  test.each(slow)('closes a connection %s, with 408, when its time is over', async (_what, said) => {
    const connection = await openRaw(await start(), said);
    // Node looks every 30 s unless it is told otherwise; the test is not given as long.
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 408 /);
  });
});

test('the first byte of each request is what its time begins with, not the connection', async () => {
  const url = await startRole();
  const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx';
  const connection = await openRaw(url, request);
  await connection.answered('taken');
  connection.say(request.slice(0, -1));
  const said = await connection.closed;
  expect(said.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 408']);
});

test.each([
  [10_000, 10_000],
  [15_000, 10_000],
  [600_000, 10_000],
  [500, 500],
])(
  'of %i ms for a request its headers may take %i, and it is looked at least once a second',
  (ms, headers) => {
    const { requestTimeout, http } = timeLimits(ms);
    expect([requestTimeout, http.requestTimeout, http.headersTimeout]).toEqual([ms, ms, headers]);
    expect(http.connectionsCheckingInterval).toBeLessThanOrEqual(1000);
  },
);
