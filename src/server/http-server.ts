import { randomUUID } from 'node:crypto';
import { type FastifyInstance, type FastifyServerOptions, fastify, LogController } from 'fastify';
import type { Log } from './log.ts';
import { createSources } from './sources.ts';

/** What a role's server is made of; any other option is Fastify's. */
export interface HttpServerOptions extends Omit<FastifyServerOptions, 'requestTimeout' | 'http'> {
  readonly log: Log;
  /** How long a request may take to come in with all of its body, ms; see {@link timeLimits}. */
  readonly requestTimeout: number;
  /** Addresses and CIDRs of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

/** The header in which the id of a message travels from bot to ops, so that the logs of both can be read as one. */
export const traceHeader = 'x-keypad-id';

/** The id that a request carries, or undefined when it has none that is safe to write into a log. */
export function readTraceId(header: unknown): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(header) ? header : undefined;
}

const HEADERS_MS = 10_000;
const LOOK_MS = 1000;

/**
 * Options of a server whose requests come in within `requestMs` (ms), and their headers within 10 s of it; who is slower is
 * answered 408, and the connection is closed. Node looks at its connections only every 30 s unless it is told otherwise: with
 * these options what is late is gone 1 s later at most.
 */
export function timeLimits(requestMs: number) {
  const headersTimeout = Math.min(HEADERS_MS, requestMs);
  const connectionsCheckingInterval = Math.min(LOOK_MS, headersTimeout);
  return {
    requestTimeout: requestMs,
    http: { requestTimeout: requestMs, headersTimeout, connectionsCheckingInterval },
  };
}

/** Makes the server of a role, not listening yet. It logs no line of its own for a request, which has the caller's id or a new one. */
export function createHttpServer(parts: HttpServerOptions): FastifyInstance {
  const { log, trustedProxies, requestTimeout, ...options } = parts;
  const proxies = createSources(trustedProxies);
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'id' }),
    trustProxy: trustedProxies.length > 0 && ((address) => proxies.allows(address)),
    genReqId: (request) => readTraceId(request.headers[traceHeader]) ?? randomUUID(),
    ...options,
    ...timeLimits(requestTimeout),
  }) as unknown as FastifyInstance;
  // The answers to what is in flight at the end ask for the connection to be closed: whoever keeps theirs alive would
  // otherwise hold the server open until the keep-alive limit (72 s).
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  return app;
}
