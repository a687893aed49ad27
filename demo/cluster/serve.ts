import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { methodNotAllowed } from './failure.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** What is answered at one URL, by method. */
export type Handlers = { readonly [method in (typeof methods)[number]]?: Handler };
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Serves a URL; whatever method has no handler is refused with 405. */
export function serveAt(app: FastifyInstance, url: string, handlers: Handlers): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const answer = handlers[request.method as (typeof methods)[number]];
    if (answer === undefined) throw methodNotAllowed(request.method, request.url);
    return answer(request, reply);
  };
  app.route({ method: [...methods], url, handler });
}
