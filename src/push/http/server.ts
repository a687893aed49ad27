import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHttpServer, traceHeader } from '../../server/http-server.ts';
import type { Log } from '../../server/log.ts';
import { hashOf } from '../apps/signature.ts';
import type { PushMetrics } from '../metrics.ts';
import { type AdmissionParts, createAdmission } from './admission.ts';
import { answerTo, refusalOf } from './answer-to.ts';
import { openApiRoute } from './openapi.ts';
import { verifiedStream } from './read-body.ts';
import { Refusal, type Route } from './route.ts';

interface ApiParts extends AdmissionParts {
  readonly routes: readonly Route[];
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly log: Log;
  readonly metrics?: Pick<PushMetrics, 'request'>;
}

const BODY_LIMIT = 64 * 1024;
/** A campaign of a million receivers takes its time to come in. */
const REQUEST_TIMEOUT_MS = 600_000;

/** The API of message delivery, not listening yet: every route of the table under /v1, and /v1/openapi.json. */
export function createApi(parts: ApiParts): FastifyInstance {
  const { trustedProxies, log, metrics } = parts;
  const admission = createAdmission(parts);
  const app = createHttpServer({
    log,
    trustedProxies,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: false,
    // A path that is no URL reaches no hook.
    frameworkErrors: (_error, _request, reply) =>
      void refuse(reply, new Refusal(400, 'The path is no valid URL; encode it with percent signs.')),
  });
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  app.addHook('onRequest', async (request, reply) => {
    reply.header(traceHeader, request.id);
    try {
      admission.checkHeaders(request);
    } catch (error) {
      // The body, which nobody reads, may still be coming.
      reply.header('connection', 'close');
      throw error;
    }
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { url = 'unknown' } = request.routeOptions;
    const { statusCode: status, elapsedTime: ms } = reply;
    metrics?.request(url, status, ms / 1000);
    const line = { method: request.method, route: url, status, ms: Math.round(ms), source: request.ip };
    request.log[status < 400 ? 'debug' : 'info'](line, 'answered');
    done();
  });
  // The signature covers the bytes as they came, so nobody parses them first.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: Error, request, reply) => refuse(reply, refusalOf(error, request)));
  app.setNotFoundHandler(async (request) => {
    await admission.admit(request, hashOf(bytesOf(request)));
    throw new Refusal(404, 'There is no such route; GET /v1/openapi.json lists them all.');
  });

  for (const route of [...parts.routes, openApiRoute(parts.routes)]) {
    const { method, path, reads, bodyLimit = BODY_LIMIT } = route;
    const isStream = reads === 'stream';
    app.register(async (scope) => {
      if (isStream) {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      }
      scope.route({
        method,
        url: `/v1${path}`,
        bodyLimit,
        handler: async (request, reply) => {
          // What is left of a streamed body when the answer goes out is not read.
          if (isStream) reply.header('connection', 'close');
          const admitted = await admission.admit(request, isStream ? 'claimed' : hashOf(bytesOf(request)));
          const raw = isStream ? verifiedStream(request.raw, admitted.bodyHash, bodyLimit) : bytesOf(request);
          const ask = { ...admitted, raw, closing: closing.signal };
          const { status, body } = await answerTo(route, request, ask);
          return reply.code(status).send(body);
        },
      });
    });
  }
  return app;
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function refuse(reply: FastifyReply, { status, message, headers }: Refusal): FastifyReply {
  return reply.code(status).headers(headers).send({ error: message });
}
