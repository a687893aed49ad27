import { randomUUID } from 'node:crypto';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify';
import type { Log } from './log.ts';
import { createConnectionEnd, logRefusal, logRefusals } from './refusals.ts';
import { createSourceReader, type Sources } from './sources.ts';
import { boundWaiting, type WaitingConnections } from './waiting-connections.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The connections on which a request is still to come. */
    waiting: WaitingConnections;
  }
}

/** Why the server itself refuses a request: who calls may not, there is no such path, or the path is no URL. */
export type RefusedAs = 'source' | 'missing' | 'malformed';

/** What a role's server is made of; any other option is Fastify's, and a body is at most 64 KiB unless one says otherwise. */
export interface HttpServerOptions
  extends Omit<FastifyServerOptions, 'requestTimeout' | 'http' | 'frameworkErrors' | 'clientErrorHandler'> {
  readonly log: Log;
  /** How long a request may take to come in with all of its body, ms; see {@link timeLimits}. */
  readonly requestTimeout: number;
  /** Addresses and CIDRs of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Who may call, and the name of the setting that says so; without it anybody may. */
  readonly callers?: Sources & { readonly setting: string };
  /** So many connections may wait for a request, or for the rest of one; 1,000. */
  readonly mostWaiting?: number;
  /** Its paths, in words for the operator. */
  readonly serves: string;
  /** Answers in the words of the role, with nothing that came in. `request.refusal` is set, and may be set anew. */
  refuse(as: RefusedAs, request: FastifyRequest, reply: FastifyReply): unknown;
}

/** The header in which the id of a message travels from bot to ops, so that the logs of both can be read as one. */
export const traceHeader = 'x-keypad-id';

/** The id that a request carries, or undefined when it has none that is safe to write into a log. */
export function readTraceId(header: unknown): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(header) ? header : undefined;
}

const HEADERS_MS = 10_000;
const LOOK_MS = 1000;
const BODY_BYTES = 64 * 1024;
/** With bodies and headers they hold 80 MiB at most. */
const MOST_WAITING = 1000;

const CROWDED =
  'too many connections wait for a request or the rest of one, and this one gave way; look who holds so many open';

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

/**
 * Makes the server of a role, not listening yet. Each request has the caller's id or a new one, and the address it comes from
 * (`source`), which is checked before anything is read. The log has a line for what is refused, and no other.
 */
export function createHttpServer(parts: HttpServerOptions): FastifyInstance {
  const { log, trustedProxies, requestTimeout, callers, serves, refuse, ...more } = parts;
  const { mostWaiting = MOST_WAITING, ...options } = more;
  const sourceOf = createSourceReader(trustedProxies);
  const problems: Readonly<Record<RefusedAs, string>> = {
    source: `this address may not call; if it should, add it to ${callers?.setting}`,
    missing: `there is no such path or method here; let the caller use what there is: ${serves}`,
    malformed: 'the path is no valid URL or too long; let the caller encode it with percent signs',
  };
  const refuseAs = (as: RefusedAs, request: FastifyRequest, reply: FastifyReply) => {
    const { problem = problems[as] } = as === 'source' ? sourceOf(request.raw) : {};
    request.refusal = { problem };
    // Nobody reads the body that may still be coming.
    if (as !== 'missing') reply.header('connection', 'close');
    return refuse(as, request, reply);
  };
  const isAllowed = (address: string): boolean => callers === undefined || callers.allows(address);
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'id' }),
    genReqId: (request) => readTraceId(request.headers[traceHeader]) ?? randomUUID(),
    // What is no URL reaches no hook, and its request is a bare one.
    frameworkErrors(_error, bare, reply) {
      const request = Object.assign(bare as FastifyRequest, { source: sourceOf(bare.raw).address });
      refuseAs(isAllowed(request.source) ? 'malformed' : 'source', request, reply as FastifyReply);
      logRefusal(log, request, reply.statusCode);
    },
    clientErrorHandler: createConnectionEnd(log),
    bodyLimit: BODY_BYTES,
    ...options,
    requestTimeout,
    // Nothing here reads Host, and Node would answer 400 without a line in the log.
    http: { ...timeLimits(requestTimeout).http, requireHostHeader: false },
  }) as unknown as FastifyInstance;
  const onCut = (source: string) => log.warn({ source, problem: CROWDED }, 'refused');
  app.decorate('waiting', boundWaiting(app, { most: mostWaiting, onCut }));
  app.decorateRequest('source', {
    getter() {
      return sourceOf(this.raw).address;
    },
  });
  app.decorateRequest('refusal');
  app.addHook('onRequest', (request, reply, done) => {
    if (isAllowed(request.source)) done();
    else refuseAs('source', request, reply);
  });
  app.setNotFoundHandler((request, reply) => refuseAs('missing', request, reply));
  logRefusals(app, log);
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
