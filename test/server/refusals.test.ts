import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cipher, signedPath, startBot } from '#test/bot.ts';
import { openRaw } from '#test/raw-http.ts';
import { startInternal } from '../../src/server/internal.ts';
import { createLog, type Log } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { openOpsHarness } from '../ops/ops-harness.ts';
import { openApiHarness } from '../push/http/api-harness.ts';

const CALLER = '127.0.0.1';
const STRANGER = '127.0.0.99';
const PROXY = '127.9.0.1';
/** Stands in all that is sent, and may stand in no answer and, in what may hold a secret, in no log. */
const SENT = 'hunter2';

interface Listening {
  readonly url: string;
  stop(): Promise<unknown>;
}

const roles = {
  async bot(log: Log): Promise<Listening> {
    return startBot({ TRUSTED_PROXIES: PROXY }, log);
  },
  async ops(log: Log): Promise<Listening> {
    const { startReplica, stop } = await openOpsHarness();
    const { app } = await startReplica({ allowedSources: [CALLER], trustedProxies: [PROXY] }, log);
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), stop };
  },
  async push(log: Log): Promise<Listening> {
    const { app, stop } = await openApiHarness(() => [], { trustedProxies: [PROXY], log });
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), stop };
  },
  async 'the internal port'(log: Log): Promise<Listening> {
    const parts = { role: 'bot', host: '127.0.0.1', port: 0, registry: createRegistry(), checks: {}, log };
    const { url, close } = await startInternal(parts);
    return { url, stop: close };
  },
} as const;
type Role = keyof typeof roles;

interface Kind {
  /** What is sent but for the headers that each request has. */
  readonly line: string;
  readonly headers?: string;
  readonly body?: string;
  readonly from?: string;
  readonly status: number;
  /** The reason, and the remedy, as the log has them. */
  readonly problem: RegExp;
}

const path = `/nowhere/${SENT}?token=${SENT}`;
const source = {
  status: 403,
  problem: /this address may not call.*; if it should, add it to \w+_ALLOWED_SOURCES/,
};
const behind = (forwarded: string) => ({
  line: `POST /?x=${SENT}`,
  from: PROXY,
  headers: `X-Forwarded-For: ${forwarded}\r\n`,
});
const unknown = { status: 403, problem: /the trusted proxy .* in X-Forwarded-For; let each proxy append/ };

const sources: Readonly<Record<string, Kind>> = {
  'from a stranger': { line: `POST ${path}`, from: STRANGER, ...source },
  'from a stranger behind the proxy': { ...behind(`${CALLER}, ${STRANGER}:80`), ...source },
  'from a stranger, to no URL': { line: `GET /%zz${SENT}?${SENT}`, from: STRANGER, ...source },
  'behind a proxy that names nobody': { ...behind(`${CALLER}, ${SENT}`), ...unknown },
  'behind a proxy that writes an empty address': { ...behind(`${CALLER},`), ...unknown },
  'to no URL, behind a proxy that names nobody': {
    ...behind('-'),
    line: `GET /%zz?${SENT}`,
    ...unknown,
  },
};
const missing = {
  status: 404,
  problem: /there is no such path or method here; let the caller use what there is: /,
};
const url = { status: 400, problem: /the path is no valid URL or too long; let the caller encode it/ };
const everywhere: Readonly<Record<string, Kind>> = {
  'to a path that there is not': { line: `GET ${path}`, ...missing },
  'by a method that there is not': { line: `PROPFIND ${path}`, ...missing },
  'to no URL': { line: `GET /%zz${SENT}?x=${SENT}`, ...url },
  'to no UTF-8': { line: `GET /wecom/%ff${SENT}?x=${SENT}`, ...url },
  'that is no HTTP': {
    line: `GET / ${SENT}`,
    status: 400,
    problem: /no HTTP request \(HPE_\w+\); speak plain HTTP/,
  },
  'that is the beginning of TLS': { line: '\x16\x03\x01', status: 400, problem: /no HTTP request/ },
  'with a length that is none': {
    line: `POST ${path}`,
    headers: `Content-Length: ${SENT}\r\n`,
    status: 400,
    problem: /no HTTP request/,
  },
  'with headers without end': {
    line: `GET ${path}`,
    headers: `X-More: ${SENT.repeat(5000)}\r\n`,
    status: 431,
    problem: /headers of the request are larger than 16 KiB; let the caller/,
  },
  // Node would refuse it on its own, without a line in the log.
  'without a host': { line: `GET ${path}`, headers: 'no host', ...missing },
};

const echo = 'x'.repeat(20);
const callback = signedPath(echo, `&echostr=${SENT}`);
const way = 'let path, query and body reach the bot as WeCom sends them';
const asXml = 'Content-Type: text/xml\r\n';
const sealed = (text: string) => cipher.encrypt(text);
const own: Readonly<Record<Role, Readonly<Record<string, Kind>>>> = {
  bot: {
    'to an account that there is not': {
      line: `GET ${callback.replace('?', `/${SENT}?`)}`,
      status: 403,
      problem: /no account here has the name behind \/wecom\/callback\/; write it as in ACCOUNTS_FILE/,
    },
    'to an account without a name': {
      line: `GET ${callback.replace('?', '//?')}`,
      status: 403,
      problem: /no account here has the name/,
    },
    'to a name without end': { line: `GET /wecom/callback/${SENT.repeat(20)}`, ...url, status: 400 },
    'with its query encoded': { line: `GET ${callback.replace('?', '%3F')}`, ...missing },
    'without a query': {
      line: 'GET /wecom/callback',
      status: 400,
      problem: new RegExp(`no msg_signature; ${way}`),
    },
    'with a parameter twice': {
      line: `GET ${callback}&nonce=${SENT}`,
      status: 400,
      problem: new RegExp(`nonce twice; ${way}`),
    },
    'with another signature': {
      line: `GET ${callback}`,
      status: 403,
      problem: /signature is not made with the token of this account; compare it/,
    },
    'with a body that is no XML': {
      line: `POST ${signedPath(echo)}`,
      body: `{"${SENT}":1}`,
      headers: asXml,
      status: 400,
      problem: new RegExp(`; ${way}`),
    },
    'with a type that is none': {
      line: `POST ${signedPath(echo)}`,
      body: SENT,
      headers: `Content-Type: ${SENT};;=\r\n`,
      status: 400,
      problem: new RegExp(`; ${way}`),
    },
    'with a body that is too large': {
      line: `POST ${signedPath(echo)}`,
      body: SENT.repeat(10_000),
      headers: asXml,
      status: 413,
      problem: /over 64 KiB, as none of WeCom is; look who calls/,
    },
    'signed, with what no cipher makes': {
      line: `GET ${signedPath(`${SENT}${SENT}`, `&echostr=${SENT}${SENT}`)}`,
      status: 403,
      problem: /signature is not made/,
    },
    'signed, with nothing that makes sense': {
      line: `POST ${signedPath(sealed(SENT))}`,
      body: `<xml><Encrypt>${sealed(SENT)}</Encrypt></xml>`,
      headers: asXml,
      status: 403,
      problem: /signature is not made/,
    },
  },
  ops: {
    'without a token': {
      line: `POST /v1/operations/me?x=${SENT}`,
      body: `"${SENT}"`,
      headers: 'Content-Type: application/json\r\n',
      status: 403,
      problem: /compare OPS_SIGNING_KEY of the bot with OPS_VERIFYING_KEYS here, and the clocks of both/,
    },
    'for a report, with a token that is none': {
      line: `POST /v1/reports?x=${SENT}`,
      body: `"${SENT}"`,
      headers: `Content-Type: application/json\r\nAuthorization: Bearer ${SENT}\r\n`,
      status: 403,
      problem: /compare OPS_SIGNING_KEY/,
    },
    'with a body that is too large': {
      line: `POST /v1/operations/me?x=${SENT}`,
      body: SENT.repeat(10_000),
      headers: 'Content-Type: application/json\r\n',
      status: 413,
      problem: /over its limit \(FST_ERR_CTP_BODY_TOO_LARGE\); if it is the bot/,
    },
    'of another type': {
      line: `POST /v1/operations/me?x=${SENT}`,
      body: SENT,
      headers: `Content-Type: ${SENT}/x\r\n`,
      status: 415,
      problem: /malformed .*\(FST_ERR_CTP_INVALID_MEDIA_TYPE\); if it is the bot/,
    },
    'to an operation without end': { line: `POST /v1/operations/${SENT.repeat(20)}`, ...url },
  },
  push: {
    'without a signature': {
      line: `GET /v1/openapi.json?x=${SENT}`,
      status: 401,
      problem: /Sign the request: it needs/,
    },
    'signed long ago': {
      line: `GET /v1/openapi.json?x=${SENT}`,
      headers: `X-Keypad-App: ${SENT}\r\nX-Keypad-Timestamp: 1\r\nX-Keypad-Nonce: 12345678\r\nX-Keypad-Content-SHA256: ${'0'.repeat(64)}\r\nX-Keypad-Signature: ${'0'.repeat(64)}\r\n`,
      status: 401,
      problem: /300 s away from the time here; set the clock/,
    },
  },
  'the internal port': {
    'with a query': { line: `POST /metrics?x=${SENT}`, ...missing },
  },
};

/** An unsigned caller of message delivery learns nothing of its paths. */
const instead: Readonly<Partial<Record<Role, readonly [404, number, RegExp]>>> = {
  push: [404, 401, /Sign the request/],
};

describe.each(Object.keys(roles) as Role[])('%s', (name) => {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line) => lines.push(line) } });
  /** What was said before the brake. */
  const warned = vi.spyOn(log, 'warn');
  let role: Listening;
  beforeAll(async () => {
    role = await roles[name](log);
  });
  afterAll(() => role.stop());

  const ask = async ({ line, headers = '', body = '', from = CALLER }: Kind) => {
    const host = headers === 'no host' ? '' : `Host: ${SENT}\r\nX-Secret: ${SENT}\r\n${headers}`;
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    const request = `${line} HTTP/1.1\r\nConnection: close\r\n${host}${length}\r\n${body}`;
    return (await openRaw(role.url, request, from)).closed;
  };
  const kinds = { ...(name !== 'the internal port' && sources), ...everywhere, ...own[name] };

  test.each(Object.entries(kinds))(
    'tells the log why, and who called nothing that it sent: %s',
    async (_what, kind) => {
      const [from, to, problem] = instead[name] ?? [];
      const expected = kind.status === from ? { status: to, problem: problem as RegExp } : kind;
      warned.mockClear();
      const answer = await ask(kind);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${expected.status} `));
      expect(answer).not.toContain(SENT);
      expect(warned.mock.calls).toEqual([
        [
          expect.objectContaining({
            status: expected.status,
            problem: expect.stringMatching(expected.problem),
            source: expect.stringMatching(
              kind.from === PROXY ? /^(unknown behind 127.9.0.1|127.0.0.99)$/ : /^127.0.0.(1|99)$/,
            ),
          }),
          'refused',
        ],
      ]);
    },
  );

  test('writes a path without its query, also one that was encoded, and not without end', async () => {
    const queries = [
      `?echostr=${SENT}`,
      `%3Fechostr=${SENT}`,
      `%3f${SENT}`,
      `;s=${SENT}`,
      `/${'a'.repeat(9000)}${SENT}`,
    ];
    warned.mockClear();
    for (const query of queries) await ask({ line: `GET /a${query}`, ...missing });
    const paths = warned.mock.calls.map(([line]) => (line as { path?: string }).path);
    expect(paths).toEqual(['/a', '/a', '/a', '/a', `/a/${'a'.repeat(197)}`]);
  });

  test('has nothing of a query, a header or a body in the log', () => {
    const elsewhere = lines.join('').replace(/"path":"[^"]*"|the trusted proxy [\d.]+ has \\"[^"]*\\"/g, '');
    expect(elsewhere).toContain('refused');
    expect(elsewhere).not.toContain(SENT);
    expect(lines.join('')).not.toMatch(/(token|echostr|x)=hunter2/);
  });

  test('makes one line of a flood', async () => {
    await ask({ line: 'GET /a/first', ...missing });
    const before = lines.length;
    const flood = Array.from({ length: 50 }, (_, i) => ask({ line: `GET /a/${i}`, ...missing }));
    expect(await Promise.all(flood)).toHaveLength(50);
    expect(lines.slice(before).filter((line) => line.includes('"refused"'))).toEqual([]);
  });
});
