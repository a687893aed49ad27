import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { History, Message } from '../wecom/history.ts';

const MOST_BUFFERED = 1024 * 1024;

const query = z.object({
  user: z.string().optional(),
  after: z.coerce.number().optional(),
});

/**
 * Adds `GET /api/events`: server-sent events with one message each, of one member (`user`) or of all, to come and, with
 * `Last-Event-ID` or `after`, those since that id. An event `recall` names the msgid of a message that was taken back.
 */
export async function addEvents(http: FastifyInstance, history: History): Promise<void> {
  http.get('/api/events', (request, reply) => {
    const parsed = query.safeParse(request.query);
    if (!parsed.success) return reply.code(400).send({ error: 'after must be the id of a message.' });
    const { user, after } = parsed.data;
    const stream = new PassThrough();
    const write = (message: Message): void => {
      if (user !== undefined && message.user !== user) return;
      stream.write(`id: ${message.id}\ndata: ${JSON.stringify(message)}\n\n`);
      // A client that does not read is disconnected; it resumes with Last-Event-ID.
      if (stream.writableLength > MOST_BUFFERED) stream.destroy();
    };
    stream.write('retry: 1000\n\n');
    const since = Number(request.headers['last-event-id'] ?? after ?? Number.NaN);
    if (!Number.isNaN(since)) for (const message of history.after(since)) write(message);
    const unsubscribe = history.subscribe(write, (msgid) => {
      stream.write(`event: recall\ndata: ${JSON.stringify({ msgid })}\n\n`);
    });
    stream.once('close', unsubscribe);
    return reply.header('cache-control', 'no-store').type('text/event-stream').send(stream);
  });
}
