import type { SecureContextOptions } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import { NoAnswer } from '../errors.ts';
import { hostOf } from './address.ts';
import { readNoProxy } from './no-proxy.ts';

/** One request to another server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  /** A header with several values is sent several times. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
  /** How long the whole may take in ms: from the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** The longest answer in bytes, 1 MiB unless said otherwise. With 0 the status alone is wanted, and resolves at once. */
  readonly maxBytes?: number;
}

/** An answer, whatever its status; a redirect is one like any other. The text is UTF-8. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends a request once, and never again by itself. Throws a {@link NoAnswer} when no whole answer comes in time. */
export type SendHttp = (request: HttpRequest) => Promise<HttpAnswer>;

/** The proxies for addresses of each scheme; without a proxy for https that of http. */
export interface HttpProxies {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  /** Hosts, domains and networks that are called directly, separated by commas; loopback always is. */
  readonly noProxy?: string;
}

/** What a server has to show, and what it is shown; what is undefined is as ever. */
export interface TlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean;
}

/** The proxies of a client, or one for all addresses, loopback too; and what its TLS is made with. */
export interface HttpClientParts extends HttpProxies {
  readonly proxyUrl?: string | undefined;
  readonly tls?: TlsOptions;
}

const MAX_BYTES = 1024 * 1024;
/** How much of an answer that nobody wants is read, so that its connection can be used again. */
const MAX_UNWANTED_BYTES = 64 * 1024;
const CONNECT_MS = 5000;
/**
 * The longest a connection rests. Less than servers keep theirs, so that none is closed just as a request goes out on it;
 * a server that names its time (`Keep-Alive: timeout=…`) gets 2 s less than that, at most half a minute.
 */
const IDLE_MS = 4000;
const MOST_IDLE_MS = 30_000;
const NEVER_BY_PROXY = 'localhost,127.0.0.0/8,::1';

/**
 * Opens a client, which calls other servers over connections that are kept open; nothing of the environment counts, only
 * the proxies that are named. It stands on the dispatcher of undici, which costs a fifth of `fetch` a call
 * (test/bench/README.md). There are as many connections to a server as requests under way, with one request at a time on
 * each: callers bound how many they make.
 *
 * A connection may have died without a word while it rested. So a request without an answer discredits all that were made to its server
 * before: they finish what is under way on them, and are not used again.
 */
export function createHttpClient(parts: HttpClientParts = {}) {
  const { httpProxy = '', httpsProxy = '', noProxy = '', proxyUrl, tls = {} } = parts;
  const excepted = readNoProxy(`${noProxy},${NEVER_BY_PROXY}`);
  const open = (url: URL): Dispatcher => {
    const options = {
      connectTimeout: CONNECT_MS,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: MOST_IDLE_MS,
      // HTTP/2 would share a connection among requests, and repeat some by itself.
      allowH2: false,
      connect: tls,
    };
    if (proxyUrl !== undefined) return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: tls });
    if (excepted.hasAddress(hostOf(url))) return new Agent(options);
    return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy: excepted.names.join(',') });
  };
  const agents = new Map<string, Dispatcher>();
  const left = new Set<Dispatcher>();
  let isClosed = false;
  const agentOf = (url: URL): Dispatcher => {
    const agent = agents.get(url.origin) ?? open(url);
    agents.set(url.origin, agent);
    return agent;
  };
  const discredit = ({ origin }: URL, agent: Dispatcher): void => {
    if (agents.get(origin) !== agent) return;
    agents.delete(origin);
    left.add(agent);
    const forget = () => void left.delete(agent);
    agent.close().then(forget, forget);
  };
  return {
    send(request: HttpRequest): Promise<HttpAnswer> {
      if (isClosed) return Promise.reject(new NoAnswer('(closed)', false));
      const agent = agentOf(request.url);
      return send(agent, request, () => discredit(request.url, agent));
    },
    /** Leaves all connections: what is under way on them is finished, and what comes is sent on new ones. */
    leave(): void {
      for (const [origin, agent] of agents) discredit(new URL(origin), agent);
    },
    /** Drops all connections, those with a request under way too. */
    async close(): Promise<void> {
      isClosed = true;
      await Promise.all([...agents.values(), ...left].map((agent) => agent.destroy()));
    },
  };
}

function send(agent: Dispatcher, request: HttpRequest, onLate: () => void): Promise<HttpAnswer> {
  const { method, url, headers, body = null, timeoutMs, maxBytes = MAX_BYTES } = request;
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const chunks: Buffer[] = [];
  let length = 0;
  let status = 0;
  /** There is none before the connection stands, and so before a byte of the request is written. */
  let controller: Dispatcher.DispatchController | undefined;
  let isOver = false;
  const end = performance.now() + timeoutMs;
  const fail = (reason: string): void => {
    clearTimeout(deadline);
    isOver = true;
    reject(new NoAnswer(reason, controller !== undefined));
    controller?.abort(new Error(reason));
  };
  const deadline = setTimeout(() => {
    onLate();
    fail(`within ${timeoutMs} ms`);
  }, timeoutMs);
  agent.dispatch(
    {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { 'user-agent': 'keypad', ...headers },
      body,
    },
    {
      onRequestStart(started) {
        // The time was over while the connection was made, also of a process that stood still, whose timers come later.
        if (!isOver && performance.now() > end) fail(`within ${timeoutMs} ms`);
        if (isOver) return started.abort(new Error('too late'));
        controller = started;
      },
      onResponseStart(_controller, code) {
        status = code;
        if (maxBytes === 0 && code >= 200) resolve({ status, text: '' });
      },
      onResponseData(_controller, chunk) {
        length += chunk.length;
        if (length > (maxBytes || MAX_UNWANTED_BYTES)) fail(`of at most ${maxBytes} bytes`);
        else if (maxBytes > 0) chunks.push(chunk);
      },
      onResponseEnd() {
        clearTimeout(deadline);
        resolve({ status, text: Buffer.concat(chunks, length).toString() });
      },
      onResponseError(_controller, error) {
        // An abort of our own ends here too.
        if (!isOver) fail(`(${'code' in error ? error.code : error.name})`);
      },
    },
  );
  return promise;
}
