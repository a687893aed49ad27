import type { FastifyReply, FastifyRequest } from 'fastify';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Refuses, with 403, requests for another host name and requests of other pages: whoever can talk to the phone can operate
 * the demo, and a name rebound to 127.0.0.1 or a form on a foreign page would otherwise be enough.
 */
export async function refuseForeigners(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { origin } = request.headers;
  if (!loopback.has(request.hostname)) {
    await reply.code(403).send({ error: 'The phone answers to 127.0.0.1 and localhost only.' });
  } else if (origin !== undefined && origin !== `http://${request.host}`) {
    await reply.code(403).send({ error: 'The phone takes no requests from other pages.' });
  }
}
