import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ApiName, apiNames } from './api-name.ts';
import type { Faults } from './faults.ts';
import type { ApiAnswer, ApiCall } from './server-api.ts';

/** Adds `/cgi-bin/*` to a Fastify app: each call meets its fault first, if one is set, and then the API itself. */
export async function addServerRoutes(
  http: FastifyInstance,
  options: {
    readonly answer: (call: ApiCall) => ApiAnswer;
    readonly faults: Faults;
    readonly record: (name: ApiName, errcode: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { answer, faults, record, signal } = options;
  // Whatever the content type says, WeCom reads JSON; a body that is none is the API's to refuse.
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  const handle = async (name: ApiName, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const fault = faults.take(name);
    if (fault?.hang) return reply.hijack();
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { signal });
    if (fault?.status !== undefined) reply.code(fault.status);
    const answered =
      fault?.errcode !== undefined
        ? { errcode: fault.errcode, errmsg: 'fault set by hand' }
        : fault?.status !== undefined
          ? ''
          : answer({
              name,
              method: request.method,
              query: request.query as Record<string, string | undefined>,
              body: typeof request.body === 'string' ? request.body : '',
              address: request.ip,
            });
    record(name, typeof answered === 'string' ? -1 : answered.errcode);
    return answered;
  };

  for (const name of apiNames) {
    http.route({
      method: ['GET', 'POST'],
      url: `/cgi-bin/${name}`,
      handler: (request, reply) => handle(name, request, reply),
    });
  }
}
