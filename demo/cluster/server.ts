import { createHash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { InputError } from '../../src/errors.ts';
import { readYaml } from '../../src/server/yaml.ts';
import { readAccept } from './accept.ts';
import { APPLY } from './apply-request.ts';
import type { Certificate } from './certificate.ts';
import type { Speech } from './container-log.ts';
import { discovery } from './discovery.ts';
import { ApiFailure, badRequest } from './failure.ts';
import { openapi } from './openapi.ts';
import { patchTypes } from './patch.ts';
import { PROTOBUF, readProtobuf } from './protobuf.ts';
import { serveReviews } from './reviews.ts';
import { serveResources } from './routes.ts';
import { serveAt } from './serve.ts';
import type { World } from './world.ts';

/** The largest body that is read, in bytes. */
const bodyLimit = 1024 * 1024;

/** Creates the API server over a world: whoever brings the token may do everything, all others get 401. */
export function createServer(
  world: World,
  options: { readonly token: string; readonly certificate: Certificate; readonly speech: Speech },
): FastifyInstance {
  const { token, certificate, speech } = options;
  const app = fastify({
    https: { key: certificate.key, cert: certificate.cert },
    bodyLimit,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 253 },
  }) as unknown as FastifyInstance;

  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  app.addHook('onRequest', async (request) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
    throw new ApiFailure(401, 'Unauthorized', 'Unauthorized');
  });

  app.addHook('onRequest', async ({ headers, url }) => {
    // A log is plain text, whatever was asked for.
    if (readAccept(headers.accept) !== undefined || /\/log($|\?)/.test(url)) return;
    const message = 'only the following media types are accepted: application/json';
    throw new ApiFailure(406, 'NotAcceptable', message);
  });

  app.addHook('onRequest', async ({ raw }) => {
    // What does not say what it is, is JSON: the Python client says nothing when it replaces an object.
    raw.headers['content-type'] ||= 'application/json';
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', ...patchTypes],
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') done(null, undefined);
      else app.getDefaultJsonParser('error', 'error')(request, body as string, done);
    },
  );
  app.addContentTypeParser(
    [APPLY, 'application/yaml'],
    { parseAs: 'string' },
    async (_request: unknown, body: string) => {
      try {
        return readYaml(body);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw badRequest(`error decoding YAML: it ${error.message}`);
      }
    },
  );
  app.addContentTypeParser(PROTOBUF, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    readProtobuf(body),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { status } = error instanceof ApiFailure ? error : failureOf(error);
    return reply.code(status.code).send(status);
  });
  app.setNotFoundHandler(async () => {
    throw new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});
  });

  for (const [path, answer] of discovery()) serveAt(app, path, { GET: () => answer });
  for (const [path, answer] of openapi()) serveAt(app, path, { GET: answer });
  serveReviews(app);
  serveResources(app, world, speech);
  return app;
}

const unknownFormat =
  'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml';

/** Fastify's own refusals in the words of the API server; everything else is a bug of ours. */
function failureOf(error: FastifyError): ApiFailure {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiFailure(413, 'RequestEntityTooLarge', `limit is ${bodyLimit}`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiFailure(415, 'UnsupportedMediaType', unknownFormat);
    default:
      if (error.statusCode !== undefined && error.statusCode < 500) return badRequest(error.message);
      console.error(error);
      return new ApiFailure(500, 'InternalError', `Internal error occurred: ${error.message}`);
  }
}
