import type { FastifyInstance } from 'fastify';

/**
 * Lets `close()` end as soon as the requests in flight are answered: their answers ask for the connection to be closed.
 * Without it a caller that keeps its connections alive holds the server open until the keep-alive limit (72 s).
 */
export function drainOnClose(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
}
