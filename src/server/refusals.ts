import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Log } from './log.ts';
import { pathOnly } from './redaction.ts';
import { plainAddress } from './sources.ts';

/** Why a request is refused, for the operator alone. */
export interface Refusal {
  /** One sentence: what is wrong, and what to do about it. */
  readonly problem: string;
  /** The account that it was for, and the app that made it; nothing that a stranger can choose. */
  readonly account?: string | undefined;
  readonly app?: string | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The address that it comes from, in its one form (sources.ts). Nothing else tells it: `ip` is the proxy's. */
    source: string;
    /** Why it is refused, to be set before it is answered with a 4xx; `logged` when the role has a line of its own for it. */
    refusal: Refusal | 'logged' | undefined;
  }
}

const PROBLEM = 300;

/** Writes a warning for each request that is answered with a 4xx; of many alike the brake of the log makes a count. */
export function logRefusals(app: FastifyInstance, log: Log): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    logRefusal(log, request, reply.statusCode);
    done(null, payload);
  });
}

/** The same for one that reaches no hook. The line has nothing of the query, the headers or the body. */
export function logRefusal(log: Log, request: FastifyRequest, status: number): void {
  if (status < 400 || status >= 500 || request.refusal === 'logged') return;
  const { id, method, source, refusal } = request;
  const { problem, ...whose } = refusal ?? { problem: STATUS_CODES[status] ?? 'refused' };
  const fields = { id, status, method, path: pathOnly(request.url), source, ...whose };
  log.warn({ ...fields, problem: problem.slice(0, PROBLEM) }, 'refused');
}

/** What Node calls a connection on which no request came in. */
type BrokenOff = Error & { readonly code?: string };

const SLOW = 'the request did not come in in time; look at the network and at who calls';
const LARGE = 'the headers of the request are larger than 16 KiB; let the caller send fewer';

/**
 * Makes the end of a connection on which no request came in that could be read: 400, 408 or 431 without a word, and why in
 * the log.
 */
export function createConnectionEnd(log: Log) {
  return (error: BrokenOff, socket: Socket): void => {
    const { code = '' } = error;
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy(error);
    const malformed = `this is no HTTP request (${code}); speak plain HTTP/1.1 to this port`;
    const [status, problem] =
      code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, SLOW]
        : code === 'HPE_HEADER_OVERFLOW'
          ? [431, LARGE]
          : [400, malformed];
    log.warn({ status, source: plainAddress(socket.remoteAddress ?? ''), problem }, 'refused');
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    socket.destroy(error);
  };
}
