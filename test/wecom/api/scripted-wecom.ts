import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenStore } from '../../../src/wecom/api/access-token.ts';

/** One request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly api: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What to answer: JSON, a bare HTTP status, other text, a redirect, a connection that breaks, or silence. */
export type Answer = object | { readonly status: number } | { readonly raw: string } | 'break' | 'hang';
/** An answer, or what chooses one by looking at the request. */
export type Line = Answer | ((request: Seen) => Answer);

/** A server API on loopback that answers what the test says and remembers what it was asked. */
export interface ScriptedWeCom {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** The next answers of an API, in order; the last one stays. */
  script(api: string, ...answers: readonly Line[]): void;
  calls(api: string): number;
  /** Back to the beginning: tokens `token-1`, `token-2`…, every message accepted. */
  reset(): void;
  stop(): Promise<void>;
}

/** Starts the server on a free port of loopback. */
export async function startScriptedWeCom(): Promise<ScriptedWeCom> {
  const seen: Seen[] = [];
  const scripts = new Map<string, Line[]>();
  const count = (api: string) => seen.filter((one) => one.api === api).length;
  const usual = (api: string): Answer =>
    api === 'gettoken'
      ? { errcode: 0, errmsg: 'ok', access_token: `token-${count(api)}`, expires_in: 7200 }
      : { errcode: 0, errmsg: 'ok', msgid: `msg-${count(api)}` };

  const server = createServer(async (request, response) => {
    const one = await readRequest(request);
    seen.push(one);
    const script = scripts.get(one.api) ?? [];
    const line = (script.length > 1 ? script.shift() : script[0]) ?? usual(one.api);
    const answer = typeof line === 'function' ? line(one) : line;
    if (answer === 'break') return void request.socket.destroy();
    if (answer === 'hang') return;
    if ('status' in answer) return void response.writeHead(answer.status, { location: '/elsewhere' }).end();
    response.end('raw' in answer ? answer.raw : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script: (api, ...answers) => void scripts.set(api, [...answers]),
    calls: count,
    reset: () => {
      seen.length = 0;
      scripts.clear();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(request: IncomingMessage): Promise<Seen> {
  const url = new URL(request.url ?? '', 'http://wecom');
  let body = '';
  for await (const chunk of request) body += chunk;
  return {
    method: request.method ?? '',
    api: url.pathname.replace('/cgi-bin/', ''),
    query: Object.fromEntries(url.searchParams),
    body: body === '' ? {} : JSON.parse(body),
  };
}

/** A token store of one process: the port's promises without a database. */
export function createMemoryTokenStore(now: () => number = Date.now): TokenStore {
  let kept: { token: string; until: number } | null = null;
  let isLocked = false;
  return {
    read: async () =>
      kept !== null && kept.until > now() ? { token: kept.token, lifeMs: kept.until - now() } : null,
    write: async ({ token, lifeMs }) => {
      kept = { token, until: now() + lifeMs };
    },
    drop: async (token) => {
      if (kept?.token === token) kept = null;
    },
    lock: async () => {
      if (isLocked) return null;
      isLocked = true;
      return async () => {
        isLocked = false;
      };
    },
  };
}
