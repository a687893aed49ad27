import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHttpServer, type RefusedAs, traceHeader } from '../../server/http-server.ts';
import type { Log } from '../../server/log.ts';
import type { Sources } from '../../server/sources.ts';
import type { PushMetrics } from '../metrics.ts';
import { type AdmissionParts, type Admitted, createAdmission } from './admission.ts';
import { answerTo, refusalOf } from './answer-to.ts';
import { type BodyRoom, createBodyRoom } from './body-room.ts';
import { openApiRoute } from './openapi.ts';
import { readBytes, verifiedStream } from './read-body.ts';
import { Refusal, type Route } from './route.ts';

interface ApiParts extends AdmissionParts {
  readonly routes: readonly Route[];
  /** Who may call at all. */
  readonly sources: Sources;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly log: Log;
  readonly metrics?: Pick<PushMetrics, 'request'>;
  /** How long a body may take to come in, ms; a minute. */
  readonly bodyMs?: number;
  /** The same of one that is streamed; ten minutes. */
  readonly streamMs?: number;
  readonly room?: BodyRoom;
}

const BODY_LIMIT = 64 * 1024;
const BODY_MS = 60_000;
/** A campaign of a million receivers takes its time to come in. */
const STREAM_MS = 600_000;
const MB = 1024 * 1024;
/** A multipart form stands in memory up to four times while it is taken apart. */
const ROOM = { each: 64 * MB, total: 256 * MB };

/** The API of message delivery, not listening yet: every route of the table under /v1, and /v1/openapi.json. */
export function createApi(parts: ApiParts): FastifyInstance {
  const { sources, trustedProxies, log, metrics, bodyMs = BODY_MS, streamMs = STREAM_MS } = parts;
  const { room = createBodyRoom(ROOM) } = parts;
  const admit = createAdmission(parts);
  const app = createHttpServer({
    log,
    trustedProxies,
    requestTimeout: streamMs,
    exposeHeadRoutes: false,
    callers: { ...sources, setting: 'PUSH_ALLOWED_SOURCES' },
    serves: 'under /v1 what GET /v1/openapi.json lists',
    refuse: (as, _request, reply) => send(reply, SERVER_REFUSALS[as]),
  });
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  app.addHook('onRequest', async (request, reply) => {
    reply.header(traceHeader, request.id);
    admitted.set(request, await admit(request));
  });
  app.addHook('onSend', async ({ raw }, reply) => {
    // The rest of the body, which nobody reads, may still be coming.
    if (!raw.complete) reply.header('connection', 'close');
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { url = 'unknown' } = request.routeOptions;
    const { statusCode: status, elapsedTime: ms } = reply;
    metrics?.request(url, status, ms / 1000);
    const line = { method: request.method, route: url, status, ms: Math.round(ms), source: request.source };
    request.log[status < 500 ? 'debug' : 'info'](line, 'answered');
    done();
  });
  // Nobody reads a body but its route, and none before its signature was looked at.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error: Error, request, reply) => {
    const refusal = refusalOf(error, request);
    request.refusal = { problem: refusal.message, app: admitted.get(request)?.caller.app };
    return send(reply, refusal);
  });

  for (const route of [...parts.routes, openApiRoute(parts.routes)]) {
    const { method, path, reads, bodyLimit: limit = BODY_LIMIT } = route;
    app.route({
      method,
      url: `/v1${path}`,
      handler: async (request, reply) => {
        const { caller, bodyHash } = admitted.get(request) as Admitted;
        const incoming = { source: request.raw, bodyHash, limit };
        const place = room.open(`app ${caller.app}`, `source ${request.source}`);
        try {
          const length = Number(request.headers['content-length'] ?? 0);
          const raw =
            reads === 'stream'
              ? verifiedStream(incoming)
              : await readBytes({ ...incoming, length, place, limitMs: bodyMs });
          const ask = { caller, bodyHash, raw, closing: closing.signal };
          const { status, body } = await answerTo(route, request, ask);
          request.refusal = { problem: `${route.answers[status]}`, app: caller.app };
          return reply.code(status).send(body);
        } finally {
          place.close();
        }
      },
    });
  }
  return app;
}

const SERVER_REFUSALS: Readonly<Record<RefusedAs, Refusal>> = {
  source: new Refusal(403, 'This source address may not call; add it to PUSH_ALLOWED_SOURCES.'),
  missing: new Refusal(404, 'There is no such route; GET /v1/openapi.json lists them all.'),
  malformed: new Refusal(400, 'The path is no valid URL or too long; encode it with percent signs.'),
};

function send(reply: FastifyReply, { status, message, headers }: Refusal): FastifyReply {
  return reply.code(status).headers(headers).send({ error: message });
}
